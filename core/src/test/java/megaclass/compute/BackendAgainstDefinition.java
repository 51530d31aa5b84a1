// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import megaclass.TestBackend;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.provider.Arguments;

/** What the tests of a backend against its definition, {@link ScalarBackend}, share. */
abstract class BackendAgainstDefinition {
  static final ComputeBackend SCALAR = new ScalarBackend();

  final ComputeBackend backend = ComputeBackend.named(TestBackend.NAME);
  final SplittableRandom random = new SplittableRandom(20261121);
  final Arena arena = Arena.ofConfined();

  @AfterEach
  void free() {
    arena.close();
  }

  interface Operation {
    void run(ComputeBackend backend, Floats into);
  }

  float[] assertSameBits(int length, Operation operation) {
    return assertSameBits(new float[length], operation);
  }

  /** Runs an operation on two copies of the same values with both backends. */
  float[] assertSameBits(float[] before, Operation operation) {
    var expected = Floats.of(before, arena);
    operation.run(SCALAR, expected);
    var actual = Floats.of(before, arena);
    operation.run(backend, actual);
    assertArrayEquals(expected.toArray(), actual.toArray());
    return actual.toArray();
  }

  static Stream<Arguments> cross(List<?> first, List<?> second) {
    return first.stream().flatMap(a -> second.stream().map(b -> Arguments.of(a, b)));
  }
}
