// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.lang.foreign.Arena;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;
import org.jspecify.annotations.Nullable;

/**
 * The points that a forest is built over: the rows of a matrix, or their directions. A row without
 * a direction, one of length 0, stays zero. Thread-safe.
 */
final class Points {
  private static final int ROWS_PER_TASK = 4096;

  private final RowMatrix rows;
  private final ComputeBackend backend;
  private final float @Nullable [] inverseLengths;

  /** Over the rows as they are, or each divided by its length, if {@code normalised}. */
  Points(RowMatrix rows, boolean normalised, Engine engine) {
    this.rows = rows;
    this.backend = engine.backend();
    this.inverseLengths = normalised ? inverseLengths(engine) : null;
  }

  private float[] inverseLengths(Engine engine) {
    float[] inverses = new float[rows.numRows()];
    engine
        .workers()
        .run(
            Math.ceilDiv(rows.numRows(), ROWS_PER_TASK),
            (task, _) -> {
              int from = task * ROWS_PER_TASK;
              int to = from + Math.min(ROWS_PER_TASK, rows.numRows() - from);
              var scratch = NativeMemory.allocate(4L * rows.stride(), Arena.ofAuto());
              for (int row = from; row < to; row++) {
                long at = rows.read(row, scratch.address(), backend);
                inverses[row] = backend.inverseNorm(at, rows.stride());
              }
            });
    return inverses;
  }

  int size() {
    return rows.numRows();
  }

  /** Floats of a point, padding included. */
  int stride() {
    return rows.stride();
  }

  /** Where a point lies, (stride): in {@code scratch} if it does not lie ready in memory. */
  long address(int point, long scratch) {
    if (inverseLengths == null) {
      return rows.read(point, scratch, backend);
    }
    copy(point, scratch);
    return scratch;
  }

  /** Writes a point, (stride). */
  void copy(int point, long into) {
    float factor = inverseLengths == null ? 1f : inverseLengths[point];
    backend.scaled(rows.read(point, into, backend), factor, rows.stride(), into);
  }
}
