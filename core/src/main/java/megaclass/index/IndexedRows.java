// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static megaclass.compute.ComputeBackend.PANEL;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.IntUnaryOperator;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;

/**
 * The class weights as an index sees them: as they are, for losses on inner products, or as
 * directions of length 1, for losses on cosines. A weight of zero has no direction and stays zero.
 *
 * @param matrix (numClasses, dim)
 * @param normalised whether directions count
 */
public record IndexedRows(RowMatrix matrix, boolean normalised, ComputeBackend backend) {

  /** Rows that are scored together. */
  private static final int ROWS_AT_ONCE = 64;

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  /** Operands of one thread. */
  private static final class Scratch {
    final int[] one = new int[1];
    final float[] score = new float[1];
    final long[] addresses = new long[ROWS_AT_ONCE];
    final float[] scores = new float[ROWS_AT_ONCE];
    MemorySegment widened = MemorySegment.NULL;

    long row(int slot, int stride) {
      if (widened.byteSize() < 4L * ROWS_AT_ONCE * stride) {
        widened = NativeMemory.allocate(4L * ROWS_AT_ONCE * stride, Arena.ofAuto());
      }
      return widened.address() + 4L * stride * slot;
    }
  }

  private float factor(long row) {
    return normalised ? backend.inverseNorm(row, matrix.stride()) : 1f;
  }

  /** Inner product of a row, as an index sees it, with an embedding of (stride) floats. */
  float score(long embedding, int row) {
    Scratch own = SCRATCH.get();
    own.one[0] = row;
    scores(embedding, own.one, 1, own.score);
    return own.score[0];
  }

  /**
   * Scores of several rows, as {@link #score}.
   *
   * @param ids at least {@code count} rows
   * @param into (count), written
   */
  void scores(long embedding, int[] ids, int count, float[] into) {
    Scratch own = SCRATCH.get();
    for (int from = 0; from < count; from += ROWS_AT_ONCE) {
      int size = Math.min(ROWS_AT_ONCE, count - from);
      for (int i = 0; i < size; i++) {
        long scratch = own.row(i, matrix.stride());
        own.addresses[i] = matrix.read(ids[from + i], scratch, backend);
      }
      backend.dots(own.addresses, size, embedding, matrix.stride(), own.scores);
      for (int i = 0; i < size; i++) {
        into[from + i] = own.scores[i] * factor(own.addresses[i]);
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
    long at = matrix.read(row, into, backend);
    backend.scaled(at, factor(at), matrix.stride(), into);
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
