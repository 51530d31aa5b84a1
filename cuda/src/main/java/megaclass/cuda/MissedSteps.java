// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import megaclass.optim.CatchUp;
import megaclass.optim.OptimizerSpec;

/**
 * For each step of the past, the matrix that takes a row from there to now, as a table on the
 * device: {@link CatchUp#product} for all of them at once.
 *
 * <p>Steps are added on the host and reach the device when the table is next asked for: one by one
 * in training, all at once after a resume. A step takes 64 bytes on the device, half of them for
 * its own matrix. Owns its device memory until {@link #close}. Used by the thread of its device.
 */
final class MissedSteps implements AutoCloseable {
  private static final long MATRIX_BYTES = 32;
  private static final int FIRST_CAPACITY = 4096;
  private static final int BLOCK = 256;

  /** AdaGrad leaves rows without a gradient where they are. */
  private static final OptimizerSpec.Sgd STILL =
      new OptimizerSpec.Sgd(0, false, 0, OptimizerSpec.LazyDecay.OFF);

  private final Device device;
  private final Kernel advance;
  private final CatchUp steps;
  private DeviceBuffer products;
  private DeviceBuffer matrices;
  private int inTable;

  /** Takes momentum, decay and nesterov of an optimizer. */
  MissedSteps(Device device, OptimizerSpec optimizer) {
    this.device = device;
    advance = device.kernel("rows", "advance_products");
    steps =
        new CatchUp(
            switch (optimizer) {
              case OptimizerSpec.Sgd sgd -> sgd;
              case OptimizerSpec.AdaGrad _ -> STILL;
            });
    products = device.allocate(MATRIX_BYTES * FIRST_CAPACITY);
    matrices = device.allocate(MATRIX_BYTES * FIRST_CAPACITY);
  }

  /**
   * Adds one step, which gets the number {@link #numSteps}.
   *
   * @param rate learning rate of the step, as the update used it
   */
  void advance(float rate) {
    steps.advance(rate);
  }

  /** Number of steps added so far. */
  int numSteps() {
    return Math.toIntExact(steps.numSteps());
  }

  /** Address of the table (numSteps, 4) of doubles: entry f takes a row from step f to now. */
  long table() {
    int from = inTable;
    int to = numSteps();
    if (from < to) {
      products = withRoom(products, from, to);
      matrices = withRoom(matrices, from, to);
      uploadMatrices(from, to);
      int blocks = Math.ceilDiv(to, BLOCK);
      advance.launch(blocks, 1, BLOCK, 0, products.address(), matrices.address(), from, to);
      inTable = to;
    }
    return products.address();
  }

  private DeviceBuffer withRoom(DeviceBuffer table, int used, int wanted) {
    if (MATRIX_BYTES * wanted <= table.bytes()) {
      return table;
    }
    DeviceBuffer larger = device.allocate(MATRIX_BYTES * Math.max(wanted, 2L * used));
    device.copy(table, 0, larger, 0, MATRIX_BYTES * used);
    table.close();
    return larger;
  }

  private void uploadMatrices(int from, int to) {
    double[] matrix = new double[4];
    try (var arena = Arena.ofConfined()) { // not pinned, so it is read when upload returns
      MemorySegment added = arena.allocate(MATRIX_BYTES * (to - from), MATRIX_BYTES);
      for (int f = from; f < to; f++) {
        steps.product(f, f + 1, matrix);
        MemorySegment.copy(matrix, 0, added, JAVA_DOUBLE, MATRIX_BYTES * (f - from), 4);
      }
      device.upload(added, matrices, MATRIX_BYTES * from);
    }
  }

  @Override
  public void close() {
    products.close();
    matrices.close();
  }
}
