// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static megaclass.compute.NativeMemory.ALL;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Codes by the Vector API. A vector of longs holds the same word of as many codes as it has lanes:
 * of 8 with 512 bits, of a part of a block with fewer. Flat loops as in {@link GemmWide}; the
 * rotation is in {@link VectorRotation}.
 */
final class VectorCodes implements CodeKernels {
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = S.length();

  // Lanes are added as in VectorBackend, and for the same reason.
  private static final VectorShuffle<Float> BY_8 = VectorShuffle.iota(S, 8, 1, true);
  private static final VectorShuffle<Float> BY_4 = VectorShuffle.iota(S, 4, 1, true);
  private static final VectorShuffle<Float> BY_2 = VectorShuffle.iota(S, 2, 1, true);
  private static final VectorShuffle<Float> BY_1 = VectorShuffle.iota(S, 1, 1, true);

  /** 1.5 * 2^23: a float that is added to it is rounded to an integer, in the low bits. */
  private static final float ROUND = 12582912f;

  private static final VectorSpecies<Long> L = LongVector.SPECIES_PREFERRED;

  /** Vectors of half the size: an int or a float for each long. */
  private static final VectorShape HALF = VectorShape.forBitSize(L.vectorBitSize() / 2);

  private static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, HALF);
  private static final VectorSpecies<Float> F = VectorSpecies.of(float.class, HALF);

  /** Codes of a vector. */
  private static final int CODES = L.length();

  /** Vectors of a word of a block. */
  private static final int PARTS = BLOCK / CODES;

  /** Bytes from word to word of a block. */
  private static final long NEXT_WORD = 8L * BLOCK;

  /** Bytes from word to word of a query of planes. */
  private static final long NEXT_PLANES = 8L * PLANES;

  /** Address of word 0 of the codes of a vector. */
  private static long at(long codes, int vector, int words) {
    return codes + vector / PARTS * (NEXT_WORD * words) + vector % PARTS * (8L * CODES);
  }

  // ---- rows ----------------------------------------------------------------------------------

  @Override
  public void rotate(long row, int width, float[] factors, int codeDim, long into) {
    VectorRotation.rotate(row, width, factors, codeDim, into);
  }

  @Override
  public float signs(long row, int words, long into, int stride) {
    FloatVector sum = FloatVector.zero(S);
    long at = row;
    for (int w = 0; w < words; w++) {
      long word = 0;
      for (int i = 0; i < WORD; i += LANES) {
        FloatVector x = FloatVector.fromMemorySegment(S, ALL, at, NATIVE);
        sum = sum.add(x.abs());
        word |= x.compare(VectorOperators.GT, 0f).toLong() << i;
        at += 4L * LANES;
      }
      ALL.set(JAVA_LONG_UNALIGNED, into + 8L * w * stride, word);
    }
    if (LANES >= 16) {
      sum = sum.add(sum.rearrange(BY_8));
    }
    if (LANES >= 8) {
      sum = sum.add(sum.rearrange(BY_4));
    }
    sum = sum.add(sum.rearrange(BY_2));
    return sum.add(sum.rearrange(BY_1)).lane(0);
  }

  // ---- queries -------------------------------------------------------------------------------

  @Override
  public float planes(long row, int words, long into) {
    float largest = largest(row, words);
    boolean zero = largest < SMALLEST_QUERY;
    writePlanes(row, words, zero ? 0 : TOP_LEVEL / 2f / largest, into);
    return zero ? 0 : largest / TOP_LEVEL;
  }

  private static float largest(long row, int words) {
    FloatVector max = FloatVector.zero(S);
    for (int i = 0; i < words * WORD; i += LANES) {
      max = max.max(FloatVector.fromMemorySegment(S, ALL, row + 4L * i, NATIVE).abs());
    }
    return max.reduceLanes(VectorOperators.MAX);
  }

  private static void writePlanes(long row, int words, float toLevels, long into) {
    FloatVector scale = FloatVector.broadcast(S, toLevels);
    FloatVector middle = FloatVector.broadcast(S, TOP_LEVEL / 2f);
    FloatVector round = FloatVector.broadcast(S, ROUND);
    long at = row;
    for (int w = 0; w < words; w++) {
      long plane0 = 0;
      long plane1 = 0;
      long plane2 = 0;
      long plane3 = 0;
      for (int i = 0; i < WORD; i += LANES) {
        FloatVector x = FloatVector.fromMemorySegment(S, ALL, at, NATIVE);
        IntVector bits = x.fma(scale, middle).add(round).reinterpretAsInts();
        plane0 |= bits.and(1).compare(VectorOperators.NE, 0).toLong() << i;
        plane1 |= bits.and(2).compare(VectorOperators.NE, 0).toLong() << i;
        plane2 |= bits.and(4).compare(VectorOperators.NE, 0).toLong() << i;
        plane3 |= bits.and(8).compare(VectorOperators.NE, 0).toLong() << i;
        at += 4L * LANES;
      }
      long planes = into + w * NEXT_PLANES;
      ALL.set(JAVA_LONG_UNALIGNED, planes, plane0);
      ALL.set(JAVA_LONG_UNALIGNED, planes + 8, plane1);
      ALL.set(JAVA_LONG_UNALIGNED, planes + 16, plane2);
      ALL.set(JAVA_LONG_UNALIGNED, planes + 24, plane3);
    }
  }

  // ---- scans ---------------------------------------------------------------------------------

  @Override
  public void distances(
      long[] queries, int numQueries, long codes, int numBlocks, int words, int[] into) {
    int numCodes = numBlocks * BLOCK;
    int numVectors = numBlocks * PARTS;
    int i = 0;
    for (; i + 4 <= numQueries; i += 4) {
      fourQueries(queries, i, codes, numVectors, words, into);
    }
    for (; i < numQueries; i++) {
      int rest = numVectors % 4;
      fourVectors(queries[i], codes, numVectors - rest, words, into, i * numCodes);
      for (int v = numVectors - rest; v < numVectors; v++) {
        oneVector(queries[i], at(codes, v, words), words, into, i * numCodes + v * CODES);
      }
    }
  }

  /** Each word of the codes is loaded once for four queries. */
  private static void fourQueries(
      long[] queries, int first, long codes, int numVectors, int words, int[] into) {
    long query0 = queries[first];
    long query1 = queries[first + 1];
    long query2 = queries[first + 2];
    long query3 = queries[first + 3];
    int numCodes = numVectors * CODES;
    int position = first * numCodes;
    for (int v = 0; v < numVectors; v++) {
      LongVector d0 = LongVector.zero(L);
      LongVector d1 = LongVector.zero(L);
      LongVector d2 = LongVector.zero(L);
      LongVector d3 = LongVector.zero(L);
      long code = at(codes, v, words);
      long offset = 0;
      for (int w = 0; w < words; w++) {
        LongVector x = LongVector.fromMemorySegment(L, ALL, code, NATIVE);
        LongVector q0 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query0 + offset));
        LongVector q1 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query1 + offset));
        LongVector q2 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query2 + offset));
        LongVector q3 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query3 + offset));
        d0 = d0.add(x.lanewise(VectorOperators.XOR, q0).lanewise(VectorOperators.BIT_COUNT));
        d1 = d1.add(x.lanewise(VectorOperators.XOR, q1).lanewise(VectorOperators.BIT_COUNT));
        d2 = d2.add(x.lanewise(VectorOperators.XOR, q2).lanewise(VectorOperators.BIT_COUNT));
        d3 = d3.add(x.lanewise(VectorOperators.XOR, q3).lanewise(VectorOperators.BIT_COUNT));
        code += NEXT_WORD;
        offset += 8;
      }
      int p = position + v * CODES;
      d0.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts().intoArray(into, p);
      p += numCodes;
      d1.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts().intoArray(into, p);
      p += numCodes;
      d2.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts().intoArray(into, p);
      p += numCodes;
      d3.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts().intoArray(into, p);
    }
  }

  /** Each word of the query is loaded once for four vectors of codes. */
  private static void fourVectors(
      long query, long codes, int numVectors, int words, int[] into, int position) {
    for (int v = 0; v < numVectors; v += 4) {
      LongVector d0 = LongVector.zero(L);
      LongVector d1 = LongVector.zero(L);
      LongVector d2 = LongVector.zero(L);
      LongVector d3 = LongVector.zero(L);
      long code0 = at(codes, v, words);
      long code1 = at(codes, v + 1, words);
      long code2 = at(codes, v + 2, words);
      long code3 = at(codes, v + 3, words);
      long offset = 0;
      for (int w = 0; w < words; w++) {
        LongVector q = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 8L * w));
        LongVector x0 = LongVector.fromMemorySegment(L, ALL, code0 + offset, NATIVE);
        LongVector x1 = LongVector.fromMemorySegment(L, ALL, code1 + offset, NATIVE);
        LongVector x2 = LongVector.fromMemorySegment(L, ALL, code2 + offset, NATIVE);
        LongVector x3 = LongVector.fromMemorySegment(L, ALL, code3 + offset, NATIVE);
        d0 = d0.add(x0.lanewise(VectorOperators.XOR, q).lanewise(VectorOperators.BIT_COUNT));
        d1 = d1.add(x1.lanewise(VectorOperators.XOR, q).lanewise(VectorOperators.BIT_COUNT));
        d2 = d2.add(x2.lanewise(VectorOperators.XOR, q).lanewise(VectorOperators.BIT_COUNT));
        d3 = d3.add(x3.lanewise(VectorOperators.XOR, q).lanewise(VectorOperators.BIT_COUNT));
        offset += NEXT_WORD;
      }
      int p = position + v * CODES;
      d0.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts().intoArray(into, p);
      p += CODES;
      d1.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts().intoArray(into, p);
      p += CODES;
      d2.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts().intoArray(into, p);
      p += CODES;
      d3.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts().intoArray(into, p);
    }
  }

  private static void oneVector(long query, long code, int words, int[] into, int position) {
    LongVector d = LongVector.zero(L);
    for (int w = 0; w < words; w++) {
      LongVector x = LongVector.fromMemorySegment(L, ALL, code + w * NEXT_WORD, NATIVE);
      LongVector q = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 8L * w));
      d = d.add(x.lanewise(VectorOperators.XOR, q).lanewise(VectorOperators.BIT_COUNT));
    }
    d.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts().intoArray(into, position);
  }

  // ---- scans of 4-bit queries ----------------------------------------------------------------

  @Override
  public void products(
      long[] queries, int numQueries, long codes, int numBlocks, int words, int[] into) {
    int numCodes = numBlocks * BLOCK;
    for (int i = 0; i < numQueries; i++) {
      products(queries[i], codes, numBlocks * PARTS, words, into, i * numCodes);
    }
  }

  private static void products(
      long query, long codes, int numVectors, int words, int[] into, int position) {
    LongVector most = LongVector.broadcast(L, (long) TOP_LEVEL * WORD * words);
    for (int v = 0; v < numVectors; v++) {
      LongVector d0 = LongVector.zero(L);
      LongVector d1 = LongVector.zero(L);
      LongVector d2 = LongVector.zero(L);
      LongVector d3 = LongVector.zero(L);
      long code = at(codes, v, words);
      long planes = query;
      for (int w = 0; w < words; w++) {
        LongVector x = LongVector.fromMemorySegment(L, ALL, code, NATIVE);
        LongVector q0 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes));
        LongVector q1 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes + 8));
        LongVector q2 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes + 16));
        LongVector q3 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes + 24));
        d0 = d0.add(x.lanewise(VectorOperators.XOR, q0).lanewise(VectorOperators.BIT_COUNT));
        d1 = d1.add(x.lanewise(VectorOperators.XOR, q1).lanewise(VectorOperators.BIT_COUNT));
        d2 = d2.add(x.lanewise(VectorOperators.XOR, q2).lanewise(VectorOperators.BIT_COUNT));
        d3 = d3.add(x.lanewise(VectorOperators.XOR, q3).lanewise(VectorOperators.BIT_COUNT));
        code += NEXT_WORD;
        planes += NEXT_PLANES;
      }
      // 2 (d0 + 2 d1 + 4 d2 + 8 d3), by Horner
      LongVector d = d2.add(d3).add(d3);
      d = d1.add(d).add(d);
      d = d0.add(d).add(d);
      d = most.sub(d).sub(d);
      d.convertShape(VectorOperators.L2I, I, 0)
          .reinterpretAsInts()
          .intoArray(into, position + v * CODES);
    }
  }

  @Override
  public void estimates(
      long[] queries,
      float[] scales,
      float[] bases,
      int numQueries,
      long codes,
      long factors,
      int numBlocks,
      int words,
      float[] into) {
    int numVectors = numBlocks * PARTS;
    int i = 0;
    for (; i + 2 <= numQueries; i += 2) {
      twoQueries(queries, scales, bases, i, codes, factors, numVectors, words, into);
    }
    if (i < numQueries) {
      oneQuery(queries[i], scales[i], bases[i], i, codes, factors, numVectors, words, into);
    }
  }

  private static void twoQueries(
      long[] queries,
      float[] scales,
      float[] bases,
      int first,
      long codes,
      long factors,
      int numVectors,
      int words,
      float[] into) {
    IntVector most = IntVector.broadcast(I, TOP_LEVEL * WORD * words);
    FloatVector scale0 = FloatVector.broadcast(F, scales[first]);
    FloatVector scale1 = FloatVector.broadcast(F, scales[first + 1]);
    FloatVector base0 = FloatVector.broadcast(F, bases[first]);
    FloatVector base1 = FloatVector.broadcast(F, bases[first + 1]);
    long query0 = queries[first];
    long query1 = queries[first + 1];
    int numCodes = numVectors * CODES;
    int position = first * numCodes;
    for (int v = 0; v < numVectors; v++) {
      LongVector d00 = LongVector.zero(L);
      LongVector d01 = LongVector.zero(L);
      LongVector d02 = LongVector.zero(L);
      LongVector d03 = LongVector.zero(L);
      LongVector d10 = LongVector.zero(L);
      LongVector d11 = LongVector.zero(L);
      LongVector d12 = LongVector.zero(L);
      LongVector d13 = LongVector.zero(L);
      long code = at(codes, v, words);
      long offset = 0;
      for (int w = 0; w < words; w++) {
        LongVector x = LongVector.fromMemorySegment(L, ALL, code, NATIVE);
        long planes = query0 + offset;
        LongVector q = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes));
        d00 = d00.add(x.lanewise(VectorOperators.XOR, q).lanewise(VectorOperators.BIT_COUNT));
        q = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes + 8));
        d01 = d01.add(x.lanewise(VectorOperators.XOR, q).lanewise(VectorOperators.BIT_COUNT));
        q = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes + 16));
        d02 = d02.add(x.lanewise(VectorOperators.XOR, q).lanewise(VectorOperators.BIT_COUNT));
        q = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes + 24));
        d03 = d03.add(x.lanewise(VectorOperators.XOR, q).lanewise(VectorOperators.BIT_COUNT));
        planes = query1 + offset;
        q = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes));
        d10 = d10.add(x.lanewise(VectorOperators.XOR, q).lanewise(VectorOperators.BIT_COUNT));
        q = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes + 8));
        d11 = d11.add(x.lanewise(VectorOperators.XOR, q).lanewise(VectorOperators.BIT_COUNT));
        q = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes + 16));
        d12 = d12.add(x.lanewise(VectorOperators.XOR, q).lanewise(VectorOperators.BIT_COUNT));
        q = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes + 24));
        d13 = d13.add(x.lanewise(VectorOperators.XOR, q).lanewise(VectorOperators.BIT_COUNT));
        code += NEXT_WORD;
        offset += NEXT_PLANES;
      }
      FloatVector factor = FloatVector.fromMemorySegment(F, ALL, factors + 4L * CODES * v, NATIVE);
      LongVector e = d02.add(d03).add(d03);
      e = d01.add(e).add(e);
      e = d00.add(e).add(e);
      IntVector b = e.add(e).convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts();
      FloatVector s = most.sub(b).convert(VectorOperators.I2F, 0).reinterpretAsFloats();
      s.mul(scale0).fma(factor, base0).intoArray(into, position + v * CODES);
      e = d12.add(d13).add(d13);
      e = d11.add(e).add(e);
      e = d10.add(e).add(e);
      b = e.add(e).convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts();
      s = most.sub(b).convert(VectorOperators.I2F, 0).reinterpretAsFloats();
      s.mul(scale1).fma(factor, base1).intoArray(into, position + numCodes + v * CODES);
    }
  }

  private static void oneQuery(
      long query,
      float scale,
      float base,
      int row,
      long codes,
      long factors,
      int numVectors,
      int words,
      float[] into) {
    IntVector most = IntVector.broadcast(I, TOP_LEVEL * WORD * words);
    FloatVector scales = FloatVector.broadcast(F, scale);
    FloatVector bases = FloatVector.broadcast(F, base);
    int position = row * numVectors * CODES;
    for (int v = 0; v < numVectors; v++) {
      LongVector d0 = LongVector.zero(L);
      LongVector d1 = LongVector.zero(L);
      LongVector d2 = LongVector.zero(L);
      LongVector d3 = LongVector.zero(L);
      long code = at(codes, v, words);
      long planes = query;
      for (int w = 0; w < words; w++) {
        LongVector x = LongVector.fromMemorySegment(L, ALL, code, NATIVE);
        LongVector q0 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes));
        LongVector q1 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes + 8));
        LongVector q2 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes + 16));
        LongVector q3 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, planes + 24));
        d0 = d0.add(x.lanewise(VectorOperators.XOR, q0).lanewise(VectorOperators.BIT_COUNT));
        d1 = d1.add(x.lanewise(VectorOperators.XOR, q1).lanewise(VectorOperators.BIT_COUNT));
        d2 = d2.add(x.lanewise(VectorOperators.XOR, q2).lanewise(VectorOperators.BIT_COUNT));
        d3 = d3.add(x.lanewise(VectorOperators.XOR, q3).lanewise(VectorOperators.BIT_COUNT));
        code += NEXT_WORD;
        planes += NEXT_PLANES;
      }
      LongVector d = d2.add(d3).add(d3);
      d = d1.add(d).add(d);
      d = d0.add(d).add(d);
      IntVector b = d.add(d).convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts();
      FloatVector s = most.sub(b).convert(VectorOperators.I2F, 0).reinterpretAsFloats();
      FloatVector factor = FloatVector.fromMemorySegment(F, ALL, factors + 4L * CODES * v, NATIVE);
      s.mul(scales).fma(factor, bases).intoArray(into, position + v * CODES);
    }
  }

  // ---- selection -----------------------------------------------------------------------------

  @Override
  public int above(float[] values, int from, int to, float threshold, int[] into) {
    int found = 0;
    int i = from;
    for (; i + LANES <= to; i += LANES) {
      FloatVector x = FloatVector.fromArray(S, values, i);
      long hits = x.compare(VectorOperators.GT, threshold).toLong();
      for (; hits != 0; hits &= hits - 1) {
        into[found++] = i - from + Long.numberOfTrailingZeros(hits);
      }
    }
    for (; i < to; i++) {
      if (values[i] > threshold) {
        into[found++] = i - from;
      }
    }
    return found;
  }

  @Override
  public int below(int[] values, int from, int to, int threshold, int[] into) {
    int found = 0;
    int i = from;
    for (; i + LANES <= to; i += LANES) {
      IntVector x = IntVector.fromArray(IntVector.SPECIES_PREFERRED, values, i);
      long hits = x.compare(VectorOperators.LT, threshold).toLong();
      for (; hits != 0; hits &= hits - 1) {
        into[found++] = i - from + Long.numberOfTrailingZeros(hits);
      }
    }
    for (; i < to; i++) {
      if (values[i] < threshold) {
        into[found++] = i - from;
      }
    }
    return found;
  }
}
