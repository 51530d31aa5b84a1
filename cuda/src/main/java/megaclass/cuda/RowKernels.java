// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import megaclass.optim.OptimizerSpec;

/**
 * The kernels of {@code rows.cu} with named arguments: rows gathered for matrix products, caught up
 * with steps that they missed, and moved by their gradients.
 *
 * <p>Addresses are those of device memory; matrices are row-major and their rows have the stride of
 * the {@link DeviceRows}, so all start at multiples of 16 bytes. Calls return before the device is
 * done. Used by the thread of its device.
 */
final class RowKernels {
  private static final int BLOCK = 256;
  private static final int WARP = 32;

  /** Numbers of a row that a lane works on at once. */
  private static final int PART = 8;

  private final Kernel gather;
  private final Kernel catchUp;
  private final Kernel addGradients;
  private final Kernel update;

  /** Compiles the kernels, if that is not done. */
  RowKernels(Device device) {
    gather = device.kernel("rows", "gather_rows");
    catchUp = device.kernel("rows", "catch_up_rows");
    addGradients = device.kernel("rows", "add_gradients");
    update = device.kernel("rows", "update_rows");
  }

  /**
   * Where gathered rows go.
   *
   * @param address of the matrix (count, stride)
   * @param bf16 whether its numbers are bf16, rounded to the nearest; else float
   * @param inverseNorms address of (count) floats that receive 1 / |row|, 0 for a row of zeros;
   *     rows are taken to unit length then. Or 0, and rows are taken as they are
   */
  record Gathered(long address, boolean bf16, long inverseNorms) {}

  /** Copies rows to a dense matrix, numbers in plain order. */
  void gather(DeviceRows rows, RowChoice which, Gathered into) {
    gather(rows.address(), rows.bf16(), rows.rowWords(), rows.slots(), which, rows.stride(), into);
  }

  /**
   * Copies rows of a plain float matrix, such as embeddings, as {@link #gather} does.
   *
   * @param matrix address of (any, stride) floats
   * @param stride floats from row to row, a multiple of 16
   */
  void gatherFloats(long matrix, int stride, RowChoice which, Gathered into) {
    gather(matrix, false, stride, 0, which, stride, into);
  }

  private void gather(
      long rows,
      boolean bf16,
      int rowWords,
      long slots,
      RowChoice which,
      int stride,
      Gathered into) {
    gather.launch(
        blocks(which.count(), stride),
        1,
        BLOCK,
        0,
        rows,
        flag(bf16),
        rowWords,
        slots,
        which.ids(),
        which.first(),
        which.count(),
        stride,
        into.inverseNorms(),
        into.bf16() ? 0 : into.address(),
        into.bf16() ? into.address() : 0);
  }

  /** Applies to rows the steps that they missed; does nothing when the state keeps no steps. */
  void catchUp(DeviceRows rows, RowChoice which, MissedSteps missed) {
    if (!rows.state().lastStep()) {
      return;
    }
    catchUp.launch(
        blocks(which.count(), rows.stride()),
        1,
        BLOCK,
        0,
        rows.address(),
        flag(rows.bf16()),
        rows.rowWords(),
        flag(rows.state().velocity()),
        rows.lastSteps(),
        rows.slots(),
        which.ids(),
        which.first(),
        which.count(),
        rows.stride(),
        missed.table(),
        missed.numSteps());
  }

  /**
   * Gradients of rows.
   *
   * @param address of the matrix (count, stride) of floats, zeros in the padding: by the unit rows,
   *     scale of the loss included, or by the rows themselves
   * @param inverseNorms address of (count) floats as {@link #gather} gave them, or 0 when gradients
   *     are by the rows themselves
   */
  record Gradients(long address, long inverseNorms) {}

  /**
   * Adds gradients of some rows to those of more.
   *
   * @param which the rows that have {@code gradients}: class ids, ascending
   * @param all more rows, these among them, ascending
   * @param sums the gradients of all; get the inverse norms of these, too, if there are any
   */
  void addGradients(
      RowChoice which, Gradients gradients, RowChoice all, Gradients sums, int stride) {
    addGradients.launch(
        blocks(which.count(), stride),
        1,
        BLOCK,
        0,
        gradients.address(),
        gradients.inverseNorms(),
        which.ids(),
        which.count(),
        all.ids(),
        all.count(),
        stride,
        sums.address(),
        sums.inverseNorms());
  }

  /**
   * Moves rows that are caught up by their gradients.
   *
   * @param step number of the running step
   * @param rate its learning rate
   */
  void update(
      DeviceRows rows,
      RowChoice which,
      Gradients gradients,
      OptimizerSpec optimizer,
      int step,
      float rate) {
    var factors = Factors.of(optimizer, rate);
    update.launch(
        blocks(which.count(), rows.stride()),
        1,
        BLOCK,
        0,
        rows.address(),
        flag(rows.bf16()),
        rows.rowWords(),
        flag(rows.state().velocity()),
        rows.accumulators(),
        rows.lastSteps(),
        rows.slots(),
        which.ids(),
        which.first(),
        which.count(),
        rows.stride(),
        rows.width(),
        gradients.address(),
        gradients.inverseNorms(),
        step,
        Kernel.of(rate),
        Kernel.of(factors.momentum),
        Kernel.of(factors.decay),
        flag(factors.nesterov),
        Kernel.of(factors.keep),
        Kernel.of(factors.epsilon));
  }

  /**
   * An optimizer as the kernel takes it.
   *
   * @param keep what SGD without momentum leaves of a weight: 1 - rate * decay
   */
  private record Factors(float momentum, float decay, boolean nesterov, float keep, float epsilon) {
    static Factors of(OptimizerSpec optimizer, float rate) {
      return switch (optimizer) {
        case OptimizerSpec.AdaGrad(double epsilon) -> new Factors(0, 0, false, 1, (float) epsilon);
        case OptimizerSpec.Sgd sgd ->
            new Factors(
                (float) sgd.momentum(),
                (float) sgd.decay(),
                sgd.nesterov(),
                (float) (1 - rate * sgd.decay()),
                0);
      };
    }
  }

  /** Blocks that give each row its lanes: lanesPerRow of common.cuh. */
  static int blocks(int count, int stride) {
    int lanes = 2;
    while (lanes < WARP && lanes < stride / PART) {
      lanes *= 2;
    }
    return Math.ceilDiv(count, BLOCK / lanes);
  }

  private static long flag(boolean value) {
    return value ? 1 : 0;
  }
}
