// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static megaclass.compute.ComputeBackend.PANEL;
import static megaclass.compute.NativeMemory.ALL;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Register-blocked matrix products: 4 broadcast rows times 4 vectors a turn.
 *
 * <p>For 512-bit vectors, whose 32 registers hold 16 accumulators. How near it comes to the peak of
 * a core is what {@code megaclass bench roofline} measures.
 *
 * <p>Each kernel is one flat static method with no branch around its accumulators and no vector
 * that crosses a method boundary: C1 gives up on larger ones, and a vector that crosses a boundary
 * is boxed whenever C2 does not inline. Unrolling in the source makes it 5x slower. Every element
 * is one chain of fused multiply-adds in the order of the definition, so the result is the same bit
 * for bit at every vector width, and as {@link ScalarBackend}.
 */
final class GemmWide {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_512;
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

  /** Bytes from row to row of a panel. */
  private static final long ROW = PANEL * 4L;

  /** Bytes of a vector. */
  private static final long V = S.vectorByteSize();

  private GemmWide() {}

  /** tile (numRows, 64) = rows x panel (width, 64); see {@link ComputeBackend#logits}. */
  static void logits(long[] rows, int numRows, long panel, int width, long tile) {
    for (int r = 0; r < numRows; r += 4) {
      for (long column = 0; column < ROW; column += 4 * V) {
        fourRows(
            rows[r],
            rows[r + 1],
            rows[r + 2],
            rows[r + 3],
            panel + column,
            width,
            tile + r * ROW + column);
      }
    }
  }

  /** Four rows at any addresses: no copy of the gathered rows is ever made. */
  private static void fourRows(
      long a0, long a1, long a2, long a3, long panel, int width, long into) {
    FloatVector zero = FloatVector.zero(S);
    FloatVector c00 = zero;
    FloatVector c01 = zero;
    FloatVector c02 = zero;
    FloatVector c03 = zero;
    FloatVector c10 = zero;
    FloatVector c11 = zero;
    FloatVector c12 = zero;
    FloatVector c13 = zero;
    FloatVector c20 = zero;
    FloatVector c21 = zero;
    FloatVector c22 = zero;
    FloatVector c23 = zero;
    FloatVector c30 = zero;
    FloatVector c31 = zero;
    FloatVector c32 = zero;
    FloatVector c33 = zero;
    long b = panel;
    long k = 0;
    for (int p = 0; p < width; p++) {
      FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, NATIVE);
      FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, b + V, NATIVE);
      FloatVector b2 = FloatVector.fromMemorySegment(S, ALL, b + 2 * V, NATIVE);
      FloatVector b3 = FloatVector.fromMemorySegment(S, ALL, b + 3 * V, NATIVE);
      FloatVector x0 = FloatVector.broadcast(S, ALL.get(JAVA_FLOAT_UNALIGNED, a0 + k));
      c00 = x0.fma(b0, c00);
      c01 = x0.fma(b1, c01);
      c02 = x0.fma(b2, c02);
      c03 = x0.fma(b3, c03);
      FloatVector x1 = FloatVector.broadcast(S, ALL.get(JAVA_FLOAT_UNALIGNED, a1 + k));
      c10 = x1.fma(b0, c10);
      c11 = x1.fma(b1, c11);
      c12 = x1.fma(b2, c12);
      c13 = x1.fma(b3, c13);
      FloatVector x2 = FloatVector.broadcast(S, ALL.get(JAVA_FLOAT_UNALIGNED, a2 + k));
      c20 = x2.fma(b0, c20);
      c21 = x2.fma(b1, c21);
      c22 = x2.fma(b2, c22);
      c23 = x2.fma(b3, c23);
      FloatVector x3 = FloatVector.broadcast(S, ALL.get(JAVA_FLOAT_UNALIGNED, a3 + k));
      c30 = x3.fma(b0, c30);
      c31 = x3.fma(b1, c31);
      c32 = x3.fma(b2, c32);
      c33 = x3.fma(b3, c33);
      k += 4;
      b += ROW;
    }
    c00.intoMemorySegment(ALL, into, NATIVE);
    c01.intoMemorySegment(ALL, into + V, NATIVE);
    c02.intoMemorySegment(ALL, into + 2 * V, NATIVE);
    c03.intoMemorySegment(ALL, into + 3 * V, NATIVE);
    c10.intoMemorySegment(ALL, into + ROW, NATIVE);
    c11.intoMemorySegment(ALL, into + ROW + V, NATIVE);
    c12.intoMemorySegment(ALL, into + ROW + 2 * V, NATIVE);
    c13.intoMemorySegment(ALL, into + ROW + 3 * V, NATIVE);
    c20.intoMemorySegment(ALL, into + 2 * ROW, NATIVE);
    c21.intoMemorySegment(ALL, into + 2 * ROW + V, NATIVE);
    c22.intoMemorySegment(ALL, into + 2 * ROW + 2 * V, NATIVE);
    c23.intoMemorySegment(ALL, into + 2 * ROW + 3 * V, NATIVE);
    c30.intoMemorySegment(ALL, into + 3 * ROW, NATIVE);
    c31.intoMemorySegment(ALL, into + 3 * ROW + V, NATIVE);
    c32.intoMemorySegment(ALL, into + 3 * ROW + 2 * V, NATIVE);
    c33.intoMemorySegment(ALL, into + 3 * ROW + 3 * V, NATIVE);
  }

  /** into (width, 64) += weights^T x tile; see {@link ComputeBackend#embeddingGradient}. */
  static void embeddingGradient(
      long weights, int stride, long tile, int numRows, int width, long into) {
    for (int p = 0; p < width; p += 4) {
      for (long column = 0; column < ROW; column += 4 * V) {
        addProducts(
            weights + 4L * p, // four neighbouring columns, which lie in one cache line
            4,
            4L * stride,
            tile + column,
            numRows,
            into + p * ROW + column,
            ROW);
      }
    }
  }

  /**
   * into (numRows, numBlocks * 64) = tiles x embeddings; {@link ComputeBackend#weightGradient}.
   * Panel by panel: one of the embeddings stays in the first-level cache for all rows.
   */
  static void weightGradient(
      long tiles, int numPanels, int numRows, long embeddings, int numBlocks, long into) {
    long tileBytes = numRows * ROW;
    long intoRow = numBlocks * ROW;
    clear(into, numRows * intoRow);
    for (int block = 0; block < numBlocks; block++) {
      for (int panel = 0; panel < numPanels; panel++) {
        long tile = tiles + panel * tileBytes;
        long samples = embeddings + ((long) block * numPanels + panel) * PANEL * ROW;
        for (int r = 0; r < numRows; r += 4) {
          for (long column = 0; column < ROW; column += 4 * V) {
            addProducts(
                tile + r * ROW,
                ROW,
                4,
                samples + column,
                PANEL,
                into + r * intoRow + block * ROW + column,
                intoRow);
          }
        }
      }
    }
  }

  private static void clear(long into, long bytes) {
    FloatVector zero = FloatVector.zero(S);
    for (long at = into; at < into + bytes; at += V) {
      zero.intoMemorySegment(ALL, at, NATIVE);
    }
  }

  /**
   * Adds products of {@code count} columns of the left matrix with rows of the right one to four
   * rows: into[i][j] += sum over n of left[i][n] * right[n][j].
   *
   * @param row bytes from row to row on the left
   * @param step bytes from column to column on the left
   * @param intoRow bytes from row to row of the result
   */
  private static void addProducts(
      long left, long row, long step, long right, int count, long into, long intoRow) {
    FloatVector c00 = FloatVector.fromMemorySegment(S, ALL, into, NATIVE);
    FloatVector c01 = FloatVector.fromMemorySegment(S, ALL, into + V, NATIVE);
    FloatVector c02 = FloatVector.fromMemorySegment(S, ALL, into + 2 * V, NATIVE);
    FloatVector c03 = FloatVector.fromMemorySegment(S, ALL, into + 3 * V, NATIVE);
    FloatVector c10 = FloatVector.fromMemorySegment(S, ALL, into + intoRow, NATIVE);
    FloatVector c11 = FloatVector.fromMemorySegment(S, ALL, into + intoRow + V, NATIVE);
    FloatVector c12 = FloatVector.fromMemorySegment(S, ALL, into + intoRow + 2 * V, NATIVE);
    FloatVector c13 = FloatVector.fromMemorySegment(S, ALL, into + intoRow + 3 * V, NATIVE);
    FloatVector c20 = FloatVector.fromMemorySegment(S, ALL, into + 2 * intoRow, NATIVE);
    FloatVector c21 = FloatVector.fromMemorySegment(S, ALL, into + 2 * intoRow + V, NATIVE);
    FloatVector c22 = FloatVector.fromMemorySegment(S, ALL, into + 2 * intoRow + 2 * V, NATIVE);
    FloatVector c23 = FloatVector.fromMemorySegment(S, ALL, into + 2 * intoRow + 3 * V, NATIVE);
    FloatVector c30 = FloatVector.fromMemorySegment(S, ALL, into + 3 * intoRow, NATIVE);
    FloatVector c31 = FloatVector.fromMemorySegment(S, ALL, into + 3 * intoRow + V, NATIVE);
    FloatVector c32 = FloatVector.fromMemorySegment(S, ALL, into + 3 * intoRow + 2 * V, NATIVE);
    FloatVector c33 = FloatVector.fromMemorySegment(S, ALL, into + 3 * intoRow + 3 * V, NATIVE);
    long a = left;
    long b = right;
    for (int n = 0; n < count; n++) {
      FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b, NATIVE);
      FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, b + V, NATIVE);
      FloatVector b2 = FloatVector.fromMemorySegment(S, ALL, b + 2 * V, NATIVE);
      FloatVector b3 = FloatVector.fromMemorySegment(S, ALL, b + 3 * V, NATIVE);
      FloatVector x0 = FloatVector.broadcast(S, ALL.get(JAVA_FLOAT_UNALIGNED, a));
      c00 = x0.fma(b0, c00);
      c01 = x0.fma(b1, c01);
      c02 = x0.fma(b2, c02);
      c03 = x0.fma(b3, c03);
      FloatVector x1 = FloatVector.broadcast(S, ALL.get(JAVA_FLOAT_UNALIGNED, a + row));
      c10 = x1.fma(b0, c10);
      c11 = x1.fma(b1, c11);
      c12 = x1.fma(b2, c12);
      c13 = x1.fma(b3, c13);
      FloatVector x2 = FloatVector.broadcast(S, ALL.get(JAVA_FLOAT_UNALIGNED, a + 2 * row));
      c20 = x2.fma(b0, c20);
      c21 = x2.fma(b1, c21);
      c22 = x2.fma(b2, c22);
      c23 = x2.fma(b3, c23);
      FloatVector x3 = FloatVector.broadcast(S, ALL.get(JAVA_FLOAT_UNALIGNED, a + 3 * row));
      c30 = x3.fma(b0, c30);
      c31 = x3.fma(b1, c31);
      c32 = x3.fma(b2, c32);
      c33 = x3.fma(b3, c33);
      a += step;
      b += ROW;
    }
    c00.intoMemorySegment(ALL, into, NATIVE);
    c01.intoMemorySegment(ALL, into + V, NATIVE);
    c02.intoMemorySegment(ALL, into + 2 * V, NATIVE);
    c03.intoMemorySegment(ALL, into + 3 * V, NATIVE);
    c10.intoMemorySegment(ALL, into + intoRow, NATIVE);
    c11.intoMemorySegment(ALL, into + intoRow + V, NATIVE);
    c12.intoMemorySegment(ALL, into + intoRow + 2 * V, NATIVE);
    c13.intoMemorySegment(ALL, into + intoRow + 3 * V, NATIVE);
    c20.intoMemorySegment(ALL, into + 2 * intoRow, NATIVE);
    c21.intoMemorySegment(ALL, into + 2 * intoRow + V, NATIVE);
    c22.intoMemorySegment(ALL, into + 2 * intoRow + 2 * V, NATIVE);
    c23.intoMemorySegment(ALL, into + 2 * intoRow + 3 * V, NATIVE);
    c30.intoMemorySegment(ALL, into + 3 * intoRow, NATIVE);
    c31.intoMemorySegment(ALL, into + 3 * intoRow + V, NATIVE);
    c32.intoMemorySegment(ALL, into + 3 * intoRow + 2 * V, NATIVE);
    c33.intoMemorySegment(ALL, into + 3 * intoRow + 3 * V, NATIVE);
  }
}
