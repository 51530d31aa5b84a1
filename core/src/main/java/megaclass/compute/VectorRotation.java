// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static megaclass.compute.CodeKernels.HALF_ROOT;
import static megaclass.compute.NativeMemory.ALL;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The random rotation of a row: signs, Hadamard transforms and mixing of halves; see {@link
 * CodeKernels#rotate}.
 *
 * <p>A transform adds and subtracts pairs of coordinates that stand 1, 2, 4, ... apart. Pairs
 * within a vector come first, all stages in registers, together with the signs; then two stages a
 * turn, so that four loads and stores serve eight additions. Whatever the grouping, each coordinate
 * is the same tree of sums as in the definition, so the result is the same bit for bit. Flat loops
 * as in {@link GemmWide}.
 */
final class VectorRotation {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();
  private static final int LANES = S.length();

  /** Bytes of a vector. */
  private static final long V = S.vectorByteSize();

  private static final VectorShuffle<Float> BY_1 = partners(1);
  private static final VectorShuffle<Float> BY_2 = partners(2);
  private static final VectorShuffle<Float> BY_4 = partners(4);
  private static final VectorShuffle<Float> BY_8 = partners(8);
  private static final float[] SIGNS_1 = signs(1);
  private static final float[] SIGNS_2 = signs(2);
  private static final float[] SIGNS_4 = signs(4);
  private static final float[] SIGNS_8 = signs(8);

  private VectorRotation() {}

  /** The lane whose number differs in one bit. */
  private static VectorShuffle<Float> partners(int bit) {
    return VectorShuffle.fromOp(S, lane -> (lane ^ bit) & (LANES - 1));
  }

  /**
   * How a lane enters the sum with its partner: lower + upper in the lower, lower - upper above.
   */
  private static float[] signs(int bit) {
    float[] signs = new float[LANES];
    for (int lane = 0; lane < LANES; lane++) {
      signs[lane] = (lane & bit) == 0 ? 1f : -1f;
    }
    return signs;
  }

  static void rotate(long row, int width, float[] factors, int codeDim, long into) {
    int size = Integer.highestOneBit(codeDim);
    int rest = codeDim - size;
    long from = row;
    int known = width;
    int perRound = CodeKernels.factorsOfRound(codeDim);
    for (int round = 0; round < factors.length / perRound; round++) {
      int start = round % 2 == 0 ? 0 : rest;
      int other = round % 2 == 0 ? size : 0;
      int at = round * perRound;
      long x = into + 4L * start;
      long y = into + 4L * other;
      withinVectors(from + 4L * start, factors, at + start, Math.min(size, known - start), x);
      multiply(from + 4L * other, factors, at + other, Math.min(rest, known - other), y);
      if (known < codeDim) {
        clear(into + 4L * known, codeDim - known);
      }
      acrossVectors(x, size);
      if (rest > 0) {
        mixHalves(into, factors, at + codeDim, codeDim / 2);
      }
      from = into;
      known = codeDim;
    }
  }

  /** Stages 1, 2, 4, ... of a vector's own lanes, after its factors. */
  private static void withinVectors(long from, float[] factors, int at, int count, long into) {
    FloatVector signs1 = FloatVector.fromArray(S, SIGNS_1, 0);
    FloatVector signs2 = FloatVector.fromArray(S, SIGNS_2, 0);
    FloatVector signs4 = FloatVector.fromArray(S, SIGNS_4, 0);
    FloatVector signs8 = FloatVector.fromArray(S, SIGNS_8, 0);
    for (int i = 0; i < count; i += LANES) {
      FloatVector x = FloatVector.fromMemorySegment(S, ALL, from + 4L * i, NATIVE);
      x = x.mul(FloatVector.fromArray(S, factors, at + i));
      x = x.fma(signs1, x.rearrange(BY_1));
      x = x.fma(signs2, x.rearrange(BY_2));
      if (LANES >= 8) {
        x = x.fma(signs4, x.rearrange(BY_4));
      }
      if (LANES >= 16) {
        x = x.fma(signs8, x.rearrange(BY_8));
      }
      x.intoMemorySegment(ALL, into + 4L * i, NATIVE);
    }
  }

  private static void multiply(long from, float[] factors, int at, int count, long into) {
    for (int i = 0; i < count; i += LANES) {
      FloatVector x = FloatVector.fromMemorySegment(S, ALL, from + 4L * i, NATIVE);
      x = x.mul(FloatVector.fromArray(S, factors, at + i));
      x.intoMemorySegment(ALL, into + 4L * i, NATIVE);
    }
  }

  private static void clear(long into, int count) {
    FloatVector zero = FloatVector.zero(S);
    for (int i = 0; i < count; i += LANES) {
      zero.intoMemorySegment(ALL, into + 4L * i, NATIVE);
    }
  }

  /** Stages LANES, 2 LANES, ... size / 2; two at a time. */
  private static void acrossVectors(long x, int size) {
    int vectors = size / LANES;
    int h = 1;
    for (; 4 * h <= vectors; h *= 4) {
      twoStages(x, vectors / 4, h);
    }
    if (h < vectors) {
      lastStage(x, h);
    }
  }

  /**
   * Stages of h and 2 h vectors.
   *
   * @param turns a quarter of the vectors
   * @param h a power of two
   */
  private static void twoStages(long x, int turns, int h) {
    long apart = h * V;
    for (int turn = 0; turn < turns; turn++) {
      int low = turn & (h - 1);
      long at = x + (4L * (turn - low) + low) * V;
      FloatVector a = FloatVector.fromMemorySegment(S, ALL, at, NATIVE);
      FloatVector b = FloatVector.fromMemorySegment(S, ALL, at + apart, NATIVE);
      FloatVector c = FloatVector.fromMemorySegment(S, ALL, at + 2 * apart, NATIVE);
      FloatVector d = FloatVector.fromMemorySegment(S, ALL, at + 3 * apart, NATIVE);
      FloatVector sum0 = a.add(b);
      FloatVector difference0 = a.sub(b);
      FloatVector sum1 = c.add(d);
      FloatVector difference1 = c.sub(d);
      sum0.add(sum1).intoMemorySegment(ALL, at, NATIVE);
      difference0.add(difference1).intoMemorySegment(ALL, at + apart, NATIVE);
      sum0.sub(sum1).intoMemorySegment(ALL, at + 2 * apart, NATIVE);
      difference0.sub(difference1).intoMemorySegment(ALL, at + 3 * apart, NATIVE);
    }
  }

  /** The stage of h vectors, of 2 h in all. */
  private static void lastStage(long x, int h) {
    long apart = h * V;
    for (int turn = 0; turn < h; turn++) {
      long at = x + turn * V;
      FloatVector a = FloatVector.fromMemorySegment(S, ALL, at, NATIVE);
      FloatVector b = FloatVector.fromMemorySegment(S, ALL, at + apart, NATIVE);
      a.add(b).intoMemorySegment(ALL, at, NATIVE);
      a.sub(b).intoMemorySegment(ALL, at + apart, NATIVE);
    }
  }

  private static void mixHalves(long x, float[] factors, int first, int half) {
    FloatVector scale = FloatVector.broadcast(S, HALF_ROOT);
    for (int i = 0; i < half; i += LANES) {
      long at = x + 4L * i;
      FloatVector a = FloatVector.fromMemorySegment(S, ALL, at, NATIVE);
      FloatVector b = FloatVector.fromMemorySegment(S, ALL, at + 4L * half, NATIVE);
      b = b.mul(FloatVector.fromArray(S, factors, first + i));
      a.add(b).mul(scale).intoMemorySegment(ALL, at, NATIVE);
      a.sub(b).mul(scale).intoMemorySegment(ALL, at + 4L * half, NATIVE);
    }
  }
}
