// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import megaclass.compute.ComputeBackend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelCheckTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 16, 20, 64, 130})
  void theFastestBackendDoesWhatTheDefinitionSays(int dim) {
    assertDoesNotThrow(() -> KernelCheck.check(ComputeBackend.named("auto"), dim));
  }

  private static Kernel named(String name) {
    return Kernel.all().stream().filter(k -> k.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void aWrongNumberIsNamed() {
    var kernel = named("logits, rows in order");
    var right = MemorySegment.ofArray(new float[] {1, 2, 4});
    var wrong = MemorySegment.ofArray(new float[] {1, 2.001f, 4});
    var e =
        assertThrows(
            IllegalStateException.class,
            () -> KernelCheck.compare(kernel, ComputeBackend.named("scalar"), right, wrong));
    assertEquals(
        "kernel \"logits, rows in order\" of backend scalar writes 2.000999927520752 at 1, but the"
            + " definition 2.0",
        e.getMessage());
  }

  @Test
  void aNumberThatIsNoneIsWrong() {
    var right = MemorySegment.ofArray(new float[] {1});
    var wrong = MemorySegment.ofArray(new float[] {Float.NaN});
    assertThrows(
        IllegalStateException.class,
        () ->
            KernelCheck.compare(
                named("exp and sum"), ComputeBackend.named("scalar"), right, wrong));
  }
}
