// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static megaclass.compute.ComputeBackend.PANEL;

import java.lang.foreign.MemorySegment;
import java.util.function.IntUnaryOperator;
import megaclass.compute.ComputeBackend;
import megaclass.compute.RowMatrix;

/**
 * The class weights as an index sees them: as they are, for losses on inner products, or as
 * directions of length 1, for losses on cosines. A weight of zero has no direction and stays zero.
 *
 * @param matrix (numClasses, dim)
 * @param normalised whether directions count
 */
public record IndexedRows(RowMatrix matrix, boolean normalised, ComputeBackend backend) {

  /** What a row is multiplied by before it is used. */
  float factor(int row) {
    return normalised ? backend.inverseNorm(matrix.address(row), matrix.stride()) : 1f;
  }

  /** Inner product of a row, as an index sees it, with an embedding of (stride) floats. */
  float score(long embedding, int row) {
    float product = backend.dot(embedding, matrix.address(row), matrix.stride());
    return normalised ? product * factor(row) : product;
  }

  /**
   * Scores of several rows, the same bits as {@link #score}.
   *
   * @param ids at least {@code count} rows
   * @param addresses scratch, (count)
   * @param into (count), written
   */
  void scores(long embedding, int[] ids, int count, long[] addresses, float[] into) {
    for (int i = 0; i < count; i++) {
      addresses[i] = matrix.address(ids[i]);
    }
    backend.dots(addresses, count, embedding, matrix.stride(), into);
    if (normalised) {
      for (int i = 0; i < count; i++) {
        into[i] *= backend.inverseNorm(addresses[i], matrix.stride());
      }
    }
  }

  /**
   * Copies a row.
   *
   * @param into address of (stride) floats
   * @throws ArithmeticException when a weight is infinite or NaN, as after too large a step
   */
  void copy(int row, long into) {
    backend.scaled(matrix.address(row), factor(row), matrix.stride(), into);
    float squares = backend.dot(into, into, matrix.stride());
    if (!(squares <= Float.MAX_VALUE)) {
      throw new ArithmeticException(
          "the weight of class %d is not finite, which no index can hold; lower the learning rate"
                  .formatted(row)
              + " and resume from the last checkpoint");
    }
  }

  /**
   * Lays out some rows as the columns of a panel; columns beyond {@code count} become zero.
   *
   * @param count at most 64
   * @param rowAt from [0, count) to rows
   * @param panel (stride, 64) floats, written
   * @param scratch (stride) floats
   */
  void pack(int count, IntUnaryOperator rowAt, MemorySegment panel, MemorySegment scratch) {
    if (count < PANEL) {
      panel.fill((byte) 0);
    }
    for (int lane = 0; lane < count; lane++) {
      copy(rowAt.applyAsInt(lane), scratch.address());
      for (int j = 0; j < matrix.width(); j++) {
        float value = scratch.get(JAVA_FLOAT_UNALIGNED, 4L * j);
        panel.set(JAVA_FLOAT_UNALIGNED, 4L * (j * (long) PANEL + lane), value);
      }
    }
  }
}
