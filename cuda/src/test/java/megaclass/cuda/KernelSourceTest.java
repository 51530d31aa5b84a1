// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class KernelSourceTest {
  private static final KernelSource SOURCE =
      new KernelSource(
          "some",
          """
          // extern "C" __global__ void not_this(int a) {}
          extern "C" __global__ void first(
              const float* a, // (m, n), float
              long long count,
              unsigned   key, float /* a, b */ rate, int n) {
          }
          extern "C" __global__ void second() {}
          """,
          "");

  /** Every file of kernels of this module. */
  static List<KernelSource> sources() {
    return KernelFiles.names().stream().map(KernelSource::read).toList();
  }

  @Test
  void kernelsAndTheTypesOfTheirParametersAreRead() {
    assertEquals(List.of("first", "second"), List.copyOf(SOURCE.kernels().keySet()));
    assertEquals(
        List.of("const float*", "long long", "unsigned", "float", "int"),
        SOURCE.signature("first").parameters());
    assertEquals(List.of(), SOURCE.signature("second").parameters());
  }

  @Test
  void aKernelThatIsNotThereIsNamedBesideThoseThatAre() {
    assertEquals(
        "some.cu has no kernel frist; it has [first, second]",
        assertThrows(IllegalArgumentException.class, () -> SOURCE.signature("frist")).getMessage());
    assertEquals(
        "there is no file of kernels none.cu",
        assertThrows(IllegalArgumentException.class, () -> KernelSource.read("none")).getMessage());
  }

  @Test
  void argumentsThatFitPass() {
    var first = SOURCE.signature("first");
    long rate = Kernel.of(-1.5f);
    assertDoesNotThrow(() -> first.check("first", -1L, Long.MIN_VALUE, 0xffffffffL, rate, -1));
    assertDoesNotThrow(
        () -> first.check("first", 0, 0, Integer.MIN_VALUE, Kernel.of(Float.NaN), 1 << 30));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          0, 0, 0, 0             | first takes 5 arguments, but was given 4
          0, 0, 0, 0, 2147483648 | argument 4 of first is int and cannot hold 2147483648
          0, 0, 4294967296, 0, 0 | argument 2 of first is unsigned and cannot hold 4294967296
          0, 0, 0, -1, 0         | argument 3 of first is float and cannot hold -1
          """)
  void argumentsThatDoNotFitAreNamed(String arguments, String message) {
    long[] numbers =
        Pattern.compile(", ").splitAsStream(arguments).mapToLong(Long::parseLong).toArray();
    var first = SOURCE.signature("first");
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> first.check("first", numbers))
            .getMessage());
  }

  @ParameterizedTest
  @MethodSource("sources")
  void everyFileHasKernelsThatTakePointersAndPlainNumbers(KernelSource source) {
    assertTrue(source.kernels().size() > 0, () -> source.fileName() + " has no kernel");
    source
        .kernels()
        .forEach(
            (name, signature) -> {
              for (String type : signature.parameters()) {
                assertTrue(
                    type.endsWith("*")
                        || List.of("int", "long long", "float", "unsigned").contains(type),
                    () -> "%s in %s takes a %s".formatted(name, source.fileName(), type));
              }
            });
    long globals = Pattern.compile("__global__").matcher(source.text()).results().count();
    assertEquals(globals, source.kernels().size(), "kernels that are not written on one line");
    assertEquals(
        List.of("#include \"common.cuh\""),
        source.text().lines().filter(line -> line.startsWith("#include")).toList());
  }
}
