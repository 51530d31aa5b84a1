// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import megaclass.compute.ComputeBackend;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;

/** Holds one call of each kernel against the scalar backend: a wrong kernel has no speed. */
final class KernelCheck {
  /** Of the largest value written; sums of 512 products of floats differ by less. */
  private static final double TOLERANCE = 1e-4;

  private KernelCheck() {}

  /**
   * Calls each kernel once on the same operands.
   *
   * @throws IllegalStateException when a backend writes something else than the scalar one
   */
  static void check(ComputeBackend backend, int dim) {
    try (var expected = new Twin(dim, ComputeBackend.named("scalar"));
        var actual = new Twin(dim, backend)) {
      for (Kernel kernel : Kernel.all()) {
        MemorySegment expectedOutput = expected.call(kernel, ComputeBackend.named("scalar"));
        MemorySegment actualOutput = actual.call(kernel, backend);
        compare(kernel, backend, expectedOutput, actualOutput);
      }
    }
  }

  static void compare(
      Kernel kernel, ComputeBackend backend, MemorySegment expected, MemorySegment actual) {
    long count = expected.byteSize() / 4;
    double largest = 0;
    for (long i = 0; i < count; i++) {
      largest = Math.max(largest, Math.abs(expected.getAtIndex(JAVA_FLOAT, i)));
    }
    for (long i = 0; i < count; i++) {
      double shouldBe = expected.getAtIndex(JAVA_FLOAT, i);
      double is = actual.getAtIndex(JAVA_FLOAT, i);
      if (!(Math.abs(is - shouldBe) <= TOLERANCE * largest)) {
        throw new IllegalStateException(
            "kernel \"%s\" of backend %s writes %s at %d, but the definition %s"
                .formatted(kernel.name(), backend.description(), is, i, shouldBe));
      }
    }
  }

  /** The operands of one backend; two of them hold the same numbers. */
  private static final class Twin implements AutoCloseable {
    private static final int COPY_BYTES = 4096;

    private final Arena arena = Arena.ofShared();
    private final RowMatrix matrix;
    private final KernelMemory memory;

    Twin(int dim, ComputeBackend backend) {
      int numRows = 3 * KernelMemory.NUM_ROWS;
      matrix = new RowMatrix(numRows, dim, new RowMatrix.State(true, false, false));
      try (var workers = new Workers(1)) {
        matrix.randomise(1, dim, 1, workers);
      }
      memory = new KernelMemory(matrix, 0, 1, COPY_BYTES, backend, arena);
    }

    MemorySegment call(Kernel kernel, ComputeBackend backend) {
      kernel.body().call(backend, memory);
      return kernel.output().apply(memory);
    }

    @Override
    public void close() {
      memory.close();
      matrix.close();
      arena.close();
    }
  }
}
