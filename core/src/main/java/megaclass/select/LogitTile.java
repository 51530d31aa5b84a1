// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static megaclass.compute.ComputeBackend.ROW_BLOCK;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.IntToDoubleFunction;
import java.util.function.IntUnaryOperator;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;

/**
 * Exact logits of some classes, a tile at a time, with the samples of a panel. One thread gathers;
 * then several may score at once.
 */
final class LogitTile {
  private final SelectionProblem problem;
  private final RowMatrix rows;
  private final ComputeBackend backend;
  private final long[] addresses;
  private final float[] scales;
  private final float[] shifts;
  private final MemorySegment widened;
  private int padded;

  /** For up to {@code mostClasses} at a time. */
  LogitTile(SelectionProblem problem, int mostClasses) {
    this.problem = problem;
    this.rows = problem.weights().matrix();
    this.backend = problem.engine().backend();
    addresses = new long[padded(mostClasses)];
    scales = new float[addresses.length];
    shifts = new float[addresses.length];
    widened = NativeMemory.allocate(4L * addresses.length * rows.stride(), Arena.ofAuto());
  }

  /** Rows of a tile of so many classes: kernels work on whole blocks. */
  static int padded(int numClasses) {
    return (numClasses + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
  }

  /**
   * Takes in the classes of the tile.
   *
   * @param classAt from [0, count) to class ids
   * @return rows of the tile, {@link #padded}
   */
  int gather(int count, IntUnaryOperator classAt) {
    return gather(count, classAt, _ -> 0);
  }

  /** The same, with what is added to the logit of each class. */
  int gather(int count, IntUnaryOperator classAt, IntToDoubleFunction logWeightAt) {
    padded = padded(count);
    for (int r = 0; r < padded; r++) {
      long scratch = widened.address() + 4L * r * rows.stride();
      addresses[r] = rows.read(classAt.applyAsInt(Math.min(r, count - 1)), scratch, backend);
      float unit = problem.normalised() ? backend.inverseNorm(addresses[r], rows.stride()) : 1f;
      scales[r] = unit * (float) problem.scale();
      shifts[r] = r < count ? (float) logWeightAt.applyAsDouble(r) : Float.NEGATIVE_INFINITY;
    }
    return padded;
  }

  /**
   * Copies the weights of the tile, times what makes logits of their inner products.
   *
   * @param into address of (padded, stride) floats, written
   */
  void pack(long into) {
    for (int r = 0; r < padded; r++) {
      backend.scaled(addresses[r], scales[r], rows.stride(), into + 4L * r * rows.stride());
    }
  }

  /**
   * Logits of the classes, -infinity in rows beyond the last one.
   *
   * @param panel address of embeddings, as {@link megaclass.backbone.Embeddings#panel}
   * @param into address of (padded, 64) floats, written
   */
  void score(long panel, long into) {
    backend.logits(addresses, padded, panel, rows.width(), into);
    backend.scaleAndShift(into, padded, scales, shifts);
  }
}
