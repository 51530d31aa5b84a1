// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
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
 * of a whole block with 512 bits, of a part of it with fewer.
 *
 * <p>A scan holds a few words of a query in registers and goes over all codes of a tile, then over
 * them again with the next words. A loop over the words of each code instead, with the query from
 * memory, took 1.5-1.9 times as long at 512 bits and 2.5-3.5 times at 128 (AVX-512): its few
 * operations a turn drown in the checks of its loads. Flat loops as in {@link GemmWide}; the
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

  /** Vectors of half the size: an int for each long. */
  private static final VectorShape HALF = VectorShape.forBitSize(L.vectorBitSize() / 2);

  private static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, HALF);

  // Where training goes, no vector has another size than the preferred one. Methods of FloatVector
  // share what the JVM learns of their callers: when they met a second size, C2 lost track of the
  // class of accumulators that go round a loop, and boxed those of the matrix products in half of
  // all runs (5x slower, a thousand collections of garbage a minute). So estimates put the sums of
  // two vectors into the ints of one, even lanes from the first and odd ones from the second.

  /** Takes the even lanes to the first half of a vector and the odd ones to the second. */
  private static final VectorShuffle<Float> EVEN_THEN_ODD =
      VectorShuffle.fromOp(S, lane -> lane < LANES / 2 ? 2 * lane : 2 * (lane - LANES / 2) + 1);

  /** Codes of a vector. */
  private static final int CODES = L.length();

  /** Vectors of a word of a block. */
  private static final int PARTS = BLOCK / CODES;

  /** Bytes from word to word of a block. */
  private static final long NEXT = 8L * BLOCK;

  /** Bytes from word to word of a query of planes. */
  private static final long NEXT_PLANES = 8L * PLANES;

  /** Codes that several queries scan one after the other: as many as the L1 cache holds well. */
  private static final int TILE_BYTES = 16 << 10;

  /** Codes of a tile: at least 4 blocks, since words are at most 64. */
  private static int tile(int words) {
    return TILE_BYTES / (8 * words) / BLOCK * BLOCK;
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

  // ---- distances -----------------------------------------------------------------------------

  @Override
  public void distances(
      long[] queries, int numQueries, long codes, int numBlocks, int words, int[] into) {
    int numCodes = numBlocks * BLOCK;
    int tile = numQueries == 1 ? numCodes : tile(words);
    for (int from = 0; from < numCodes; from += tile) {
      int count = Math.min(tile, numCodes - from);
      for (int i = 0; i < numQueries; i++) {
        for (int part = 0; part < PARTS; part++) {
          long at = codes + 8L * words * from + 8L * CODES * part;
          int position = i * numCodes + from + CODES * part;
          distances(queries[i], at, words, into, position, position + count);
        }
      }
    }
  }

  /** One part of all blocks, as many words a turn as there are kernels for. */
  private static void distances(long query, long codes, int words, int[] into, int from, int to) {
    long stride = NEXT * words;
    int w = 0;
    if (words >= 8) {
      setEightWords(query, codes, stride, into, from, to);
      w = 8;
    } else if (words >= 2) {
      setTwoWords(query, codes, stride, into, from, to);
      w = 2;
    } else {
      setOneWord(query, codes, stride, into, from, to);
      w = 1;
    }
    for (; w + 8 <= words; w += 8) {
      addEightWords(query + 8L * w, codes + NEXT * w, stride, into, from, to);
    }
    for (; w + 2 <= words; w += 2) {
      addTwoWords(query + 8L * w, codes + NEXT * w, stride, into, from, to);
    }
    if (w < words) {
      addOneWord(query + 8L * w, codes + NEXT * w, stride, into, from, to);
    }
  }

  private static void setEightWords(
      long query, long codes, long stride, int[] into, int from, int to) {
    LongVector q0 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query));
    LongVector q1 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 8));
    LongVector q2 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 16));
    LongVector q3 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 24));
    LongVector q4 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 32));
    LongVector q5 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 40));
    LongVector q6 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 48));
    LongVector q7 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 56));
    long at = codes;
    for (int j = from; j < to; j += BLOCK) {
      LongVector x0 = LongVector.fromMemorySegment(L, ALL, at, NATIVE);
      LongVector x1 = LongVector.fromMemorySegment(L, ALL, at + NEXT, NATIVE);
      LongVector x2 = LongVector.fromMemorySegment(L, ALL, at + 2 * NEXT, NATIVE);
      LongVector x3 = LongVector.fromMemorySegment(L, ALL, at + 3 * NEXT, NATIVE);
      LongVector x4 = LongVector.fromMemorySegment(L, ALL, at + 4 * NEXT, NATIVE);
      LongVector x5 = LongVector.fromMemorySegment(L, ALL, at + 5 * NEXT, NATIVE);
      LongVector x6 = LongVector.fromMemorySegment(L, ALL, at + 6 * NEXT, NATIVE);
      LongVector x7 = LongVector.fromMemorySegment(L, ALL, at + 7 * NEXT, NATIVE);
      x0 = x0.lanewise(VectorOperators.XOR, q0).lanewise(VectorOperators.BIT_COUNT);
      x1 = x1.lanewise(VectorOperators.XOR, q1).lanewise(VectorOperators.BIT_COUNT);
      x2 = x2.lanewise(VectorOperators.XOR, q2).lanewise(VectorOperators.BIT_COUNT);
      x3 = x3.lanewise(VectorOperators.XOR, q3).lanewise(VectorOperators.BIT_COUNT);
      x4 = x4.lanewise(VectorOperators.XOR, q4).lanewise(VectorOperators.BIT_COUNT);
      x5 = x5.lanewise(VectorOperators.XOR, q5).lanewise(VectorOperators.BIT_COUNT);
      x6 = x6.lanewise(VectorOperators.XOR, q6).lanewise(VectorOperators.BIT_COUNT);
      x7 = x7.lanewise(VectorOperators.XOR, q7).lanewise(VectorOperators.BIT_COUNT);
      x0 = x0.add(x1).add(x2.add(x3));
      x4 = x4.add(x5).add(x6.add(x7));
      x0 = x0.add(x4);
      IntVector d = x0.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts();
      d.intoArray(into, j);
      at += stride;
    }
  }

  private static void addEightWords(
      long query, long codes, long stride, int[] into, int from, int to) {
    LongVector q0 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query));
    LongVector q1 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 8));
    LongVector q2 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 16));
    LongVector q3 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 24));
    LongVector q4 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 32));
    LongVector q5 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 40));
    LongVector q6 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 48));
    LongVector q7 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 56));
    long at = codes;
    for (int j = from; j < to; j += BLOCK) {
      LongVector x0 = LongVector.fromMemorySegment(L, ALL, at, NATIVE);
      LongVector x1 = LongVector.fromMemorySegment(L, ALL, at + NEXT, NATIVE);
      LongVector x2 = LongVector.fromMemorySegment(L, ALL, at + 2 * NEXT, NATIVE);
      LongVector x3 = LongVector.fromMemorySegment(L, ALL, at + 3 * NEXT, NATIVE);
      LongVector x4 = LongVector.fromMemorySegment(L, ALL, at + 4 * NEXT, NATIVE);
      LongVector x5 = LongVector.fromMemorySegment(L, ALL, at + 5 * NEXT, NATIVE);
      LongVector x6 = LongVector.fromMemorySegment(L, ALL, at + 6 * NEXT, NATIVE);
      LongVector x7 = LongVector.fromMemorySegment(L, ALL, at + 7 * NEXT, NATIVE);
      x0 = x0.lanewise(VectorOperators.XOR, q0).lanewise(VectorOperators.BIT_COUNT);
      x1 = x1.lanewise(VectorOperators.XOR, q1).lanewise(VectorOperators.BIT_COUNT);
      x2 = x2.lanewise(VectorOperators.XOR, q2).lanewise(VectorOperators.BIT_COUNT);
      x3 = x3.lanewise(VectorOperators.XOR, q3).lanewise(VectorOperators.BIT_COUNT);
      x4 = x4.lanewise(VectorOperators.XOR, q4).lanewise(VectorOperators.BIT_COUNT);
      x5 = x5.lanewise(VectorOperators.XOR, q5).lanewise(VectorOperators.BIT_COUNT);
      x6 = x6.lanewise(VectorOperators.XOR, q6).lanewise(VectorOperators.BIT_COUNT);
      x7 = x7.lanewise(VectorOperators.XOR, q7).lanewise(VectorOperators.BIT_COUNT);
      x0 = x0.add(x1).add(x2.add(x3));
      x4 = x4.add(x5).add(x6.add(x7));
      x0 = x0.add(x4);
      IntVector d = x0.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts();
      d.add(IntVector.fromArray(I, into, j)).intoArray(into, j);
      at += stride;
    }
  }

  private static void setTwoWords(
      long query, long codes, long stride, int[] into, int from, int to) {
    LongVector q0 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query));
    LongVector q1 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 8));
    long at = codes;
    for (int j = from; j < to; j += BLOCK) {
      LongVector x0 = LongVector.fromMemorySegment(L, ALL, at, NATIVE);
      LongVector x1 = LongVector.fromMemorySegment(L, ALL, at + NEXT, NATIVE);
      x0 = x0.lanewise(VectorOperators.XOR, q0).lanewise(VectorOperators.BIT_COUNT);
      x1 = x1.lanewise(VectorOperators.XOR, q1).lanewise(VectorOperators.BIT_COUNT);
      x0 = x0.add(x1);
      IntVector d = x0.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts();
      d.intoArray(into, j);
      at += stride;
    }
  }

  private static void addTwoWords(
      long query, long codes, long stride, int[] into, int from, int to) {
    LongVector q0 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query));
    LongVector q1 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 8));
    long at = codes;
    for (int j = from; j < to; j += BLOCK) {
      LongVector x0 = LongVector.fromMemorySegment(L, ALL, at, NATIVE);
      LongVector x1 = LongVector.fromMemorySegment(L, ALL, at + NEXT, NATIVE);
      x0 = x0.lanewise(VectorOperators.XOR, q0).lanewise(VectorOperators.BIT_COUNT);
      x1 = x1.lanewise(VectorOperators.XOR, q1).lanewise(VectorOperators.BIT_COUNT);
      x0 = x0.add(x1);
      IntVector d = x0.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts();
      d.add(IntVector.fromArray(I, into, j)).intoArray(into, j);
      at += stride;
    }
  }

  private static void setOneWord(
      long query, long codes, long stride, int[] into, int from, int to) {
    LongVector q0 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query));
    long at = codes;
    for (int j = from; j < to; j += BLOCK) {
      LongVector x0 = LongVector.fromMemorySegment(L, ALL, at, NATIVE);
      x0 = x0.lanewise(VectorOperators.XOR, q0).lanewise(VectorOperators.BIT_COUNT);
      IntVector d = x0.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts();
      d.intoArray(into, j);
      at += stride;
    }
  }

  private static void addOneWord(
      long query, long codes, long stride, int[] into, int from, int to) {
    LongVector q0 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query));
    long at = codes;
    for (int j = from; j < to; j += BLOCK) {
      LongVector x0 = LongVector.fromMemorySegment(L, ALL, at, NATIVE);
      x0 = x0.lanewise(VectorOperators.XOR, q0).lanewise(VectorOperators.BIT_COUNT);
      IntVector d = x0.convertShape(VectorOperators.L2I, I, 0).reinterpretAsInts();
      d.add(IntVector.fromArray(I, into, j)).intoArray(into, j);
      at += stride;
    }
  }

  // ---- estimates -----------------------------------------------------------------------------

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
      long[] scratch,
      float[] into) {
    int numCodes = numBlocks * BLOCK;
    int tile = numQueries == 1 ? numCodes : tile(words);
    for (int from = 0; from < numCodes; from += tile) {
      int count = Math.min(tile, numCodes - from);
      for (int i = 0; i < numQueries; i++) {
        for (int part = 0; part < PARTS; part++) {
          long at = codes + 8L * words * from + 8L * CODES * part;
          int first = CODES * part;
          sums(queries[i], at, words, scratch, first, first + count);
        }
        finish(
            words,
            scales[i],
            bases[i],
            factors + 4L * from,
            scratch,
            into,
            i * numCodes + from,
            count);
      }
    }
  }

  /** Sums over planes k of 2^k popcount(code ^ plane k): integers. */
  private static void sums(long query, long codes, int words, long[] into, int from, int to) {
    long stride = NEXT * words;
    int w = 0;
    if (words >= 4) {
      setPlanesOfFourWords(query, codes, stride, into, from, to);
      w = 4;
    } else if (words >= 2) {
      setPlanesOfTwoWords(query, codes, stride, into, from, to);
      w = 2;
    } else {
      setPlanesOfOneWord(query, codes, stride, into, from, to);
      w = 1;
    }
    for (; w + 4 <= words; w += 4) {
      addPlanesOfFourWords(query + NEXT_PLANES * w, codes + NEXT * w, stride, into, from, to);
    }
    for (; w + 2 <= words; w += 2) {
      addPlanesOfTwoWords(query + NEXT_PLANES * w, codes + NEXT * w, stride, into, from, to);
    }
    if (w < words) {
      addPlanesOfOneWord(query + NEXT_PLANES * w, codes + NEXT * w, stride, into, from, to);
    }
  }

  private static void setPlanesOfFourWords(
      long query, long codes, long stride, long[] into, int from, int to) {
    LongVector q00 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query));
    LongVector q01 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 8));
    LongVector q02 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 16));
    LongVector q03 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 24));
    LongVector q10 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 32));
    LongVector q11 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 40));
    LongVector q12 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 48));
    LongVector q13 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 56));
    LongVector q20 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 64));
    LongVector q21 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 72));
    LongVector q22 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 80));
    LongVector q23 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 88));
    LongVector q30 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 96));
    LongVector q31 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 104));
    LongVector q32 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 112));
    LongVector q33 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 120));
    long at = codes;
    for (int j = from; j < to; j += BLOCK) {
      LongVector x0 = LongVector.fromMemorySegment(L, ALL, at, NATIVE);
      LongVector x1 = LongVector.fromMemorySegment(L, ALL, at + NEXT, NATIVE);
      LongVector x2 = LongVector.fromMemorySegment(L, ALL, at + 2 * NEXT, NATIVE);
      LongVector x3 = LongVector.fromMemorySegment(L, ALL, at + 3 * NEXT, NATIVE);
      LongVector d0 = x0.lanewise(VectorOperators.XOR, q00).lanewise(VectorOperators.BIT_COUNT);
      d0 = d0.add(x1.lanewise(VectorOperators.XOR, q10).lanewise(VectorOperators.BIT_COUNT));
      d0 = d0.add(x2.lanewise(VectorOperators.XOR, q20).lanewise(VectorOperators.BIT_COUNT));
      d0 = d0.add(x3.lanewise(VectorOperators.XOR, q30).lanewise(VectorOperators.BIT_COUNT));
      LongVector d1 = x0.lanewise(VectorOperators.XOR, q01).lanewise(VectorOperators.BIT_COUNT);
      d1 = d1.add(x1.lanewise(VectorOperators.XOR, q11).lanewise(VectorOperators.BIT_COUNT));
      d1 = d1.add(x2.lanewise(VectorOperators.XOR, q21).lanewise(VectorOperators.BIT_COUNT));
      d1 = d1.add(x3.lanewise(VectorOperators.XOR, q31).lanewise(VectorOperators.BIT_COUNT));
      LongVector d2 = x0.lanewise(VectorOperators.XOR, q02).lanewise(VectorOperators.BIT_COUNT);
      d2 = d2.add(x1.lanewise(VectorOperators.XOR, q12).lanewise(VectorOperators.BIT_COUNT));
      d2 = d2.add(x2.lanewise(VectorOperators.XOR, q22).lanewise(VectorOperators.BIT_COUNT));
      d2 = d2.add(x3.lanewise(VectorOperators.XOR, q32).lanewise(VectorOperators.BIT_COUNT));
      LongVector d3 = x0.lanewise(VectorOperators.XOR, q03).lanewise(VectorOperators.BIT_COUNT);
      d3 = d3.add(x1.lanewise(VectorOperators.XOR, q13).lanewise(VectorOperators.BIT_COUNT));
      d3 = d3.add(x2.lanewise(VectorOperators.XOR, q23).lanewise(VectorOperators.BIT_COUNT));
      d3 = d3.add(x3.lanewise(VectorOperators.XOR, q33).lanewise(VectorOperators.BIT_COUNT));
      LongVector d = d2.add(d3).add(d3);
      d = d1.add(d).add(d);
      d = d0.add(d).add(d);
      d.intoArray(into, j);
      at += stride;
    }
  }

  private static void addPlanesOfFourWords(
      long query, long codes, long stride, long[] into, int from, int to) {
    LongVector q00 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query));
    LongVector q01 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 8));
    LongVector q02 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 16));
    LongVector q03 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 24));
    LongVector q10 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 32));
    LongVector q11 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 40));
    LongVector q12 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 48));
    LongVector q13 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 56));
    LongVector q20 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 64));
    LongVector q21 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 72));
    LongVector q22 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 80));
    LongVector q23 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 88));
    LongVector q30 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 96));
    LongVector q31 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 104));
    LongVector q32 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 112));
    LongVector q33 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 120));
    long at = codes;
    for (int j = from; j < to; j += BLOCK) {
      LongVector x0 = LongVector.fromMemorySegment(L, ALL, at, NATIVE);
      LongVector x1 = LongVector.fromMemorySegment(L, ALL, at + NEXT, NATIVE);
      LongVector x2 = LongVector.fromMemorySegment(L, ALL, at + 2 * NEXT, NATIVE);
      LongVector x3 = LongVector.fromMemorySegment(L, ALL, at + 3 * NEXT, NATIVE);
      LongVector d0 = x0.lanewise(VectorOperators.XOR, q00).lanewise(VectorOperators.BIT_COUNT);
      d0 = d0.add(x1.lanewise(VectorOperators.XOR, q10).lanewise(VectorOperators.BIT_COUNT));
      d0 = d0.add(x2.lanewise(VectorOperators.XOR, q20).lanewise(VectorOperators.BIT_COUNT));
      d0 = d0.add(x3.lanewise(VectorOperators.XOR, q30).lanewise(VectorOperators.BIT_COUNT));
      LongVector d1 = x0.lanewise(VectorOperators.XOR, q01).lanewise(VectorOperators.BIT_COUNT);
      d1 = d1.add(x1.lanewise(VectorOperators.XOR, q11).lanewise(VectorOperators.BIT_COUNT));
      d1 = d1.add(x2.lanewise(VectorOperators.XOR, q21).lanewise(VectorOperators.BIT_COUNT));
      d1 = d1.add(x3.lanewise(VectorOperators.XOR, q31).lanewise(VectorOperators.BIT_COUNT));
      LongVector d2 = x0.lanewise(VectorOperators.XOR, q02).lanewise(VectorOperators.BIT_COUNT);
      d2 = d2.add(x1.lanewise(VectorOperators.XOR, q12).lanewise(VectorOperators.BIT_COUNT));
      d2 = d2.add(x2.lanewise(VectorOperators.XOR, q22).lanewise(VectorOperators.BIT_COUNT));
      d2 = d2.add(x3.lanewise(VectorOperators.XOR, q32).lanewise(VectorOperators.BIT_COUNT));
      LongVector d3 = x0.lanewise(VectorOperators.XOR, q03).lanewise(VectorOperators.BIT_COUNT);
      d3 = d3.add(x1.lanewise(VectorOperators.XOR, q13).lanewise(VectorOperators.BIT_COUNT));
      d3 = d3.add(x2.lanewise(VectorOperators.XOR, q23).lanewise(VectorOperators.BIT_COUNT));
      d3 = d3.add(x3.lanewise(VectorOperators.XOR, q33).lanewise(VectorOperators.BIT_COUNT));
      LongVector d = d2.add(d3).add(d3);
      d = d1.add(d).add(d);
      d = d0.add(d).add(d);
      d.add(LongVector.fromArray(L, into, j)).intoArray(into, j);
      at += stride;
    }
  }

  private static void setPlanesOfTwoWords(
      long query, long codes, long stride, long[] into, int from, int to) {
    LongVector q00 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query));
    LongVector q01 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 8));
    LongVector q02 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 16));
    LongVector q03 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 24));
    LongVector q10 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 32));
    LongVector q11 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 40));
    LongVector q12 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 48));
    LongVector q13 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 56));
    long at = codes;
    for (int j = from; j < to; j += BLOCK) {
      LongVector x0 = LongVector.fromMemorySegment(L, ALL, at, NATIVE);
      LongVector x1 = LongVector.fromMemorySegment(L, ALL, at + NEXT, NATIVE);
      LongVector d0 = x0.lanewise(VectorOperators.XOR, q00).lanewise(VectorOperators.BIT_COUNT);
      d0 = d0.add(x1.lanewise(VectorOperators.XOR, q10).lanewise(VectorOperators.BIT_COUNT));
      LongVector d1 = x0.lanewise(VectorOperators.XOR, q01).lanewise(VectorOperators.BIT_COUNT);
      d1 = d1.add(x1.lanewise(VectorOperators.XOR, q11).lanewise(VectorOperators.BIT_COUNT));
      LongVector d2 = x0.lanewise(VectorOperators.XOR, q02).lanewise(VectorOperators.BIT_COUNT);
      d2 = d2.add(x1.lanewise(VectorOperators.XOR, q12).lanewise(VectorOperators.BIT_COUNT));
      LongVector d3 = x0.lanewise(VectorOperators.XOR, q03).lanewise(VectorOperators.BIT_COUNT);
      d3 = d3.add(x1.lanewise(VectorOperators.XOR, q13).lanewise(VectorOperators.BIT_COUNT));
      LongVector d = d2.add(d3).add(d3);
      d = d1.add(d).add(d);
      d = d0.add(d).add(d);
      d.intoArray(into, j);
      at += stride;
    }
  }

  private static void addPlanesOfTwoWords(
      long query, long codes, long stride, long[] into, int from, int to) {
    LongVector q00 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query));
    LongVector q01 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 8));
    LongVector q02 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 16));
    LongVector q03 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 24));
    LongVector q10 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 32));
    LongVector q11 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 40));
    LongVector q12 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 48));
    LongVector q13 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 56));
    long at = codes;
    for (int j = from; j < to; j += BLOCK) {
      LongVector x0 = LongVector.fromMemorySegment(L, ALL, at, NATIVE);
      LongVector x1 = LongVector.fromMemorySegment(L, ALL, at + NEXT, NATIVE);
      LongVector d0 = x0.lanewise(VectorOperators.XOR, q00).lanewise(VectorOperators.BIT_COUNT);
      d0 = d0.add(x1.lanewise(VectorOperators.XOR, q10).lanewise(VectorOperators.BIT_COUNT));
      LongVector d1 = x0.lanewise(VectorOperators.XOR, q01).lanewise(VectorOperators.BIT_COUNT);
      d1 = d1.add(x1.lanewise(VectorOperators.XOR, q11).lanewise(VectorOperators.BIT_COUNT));
      LongVector d2 = x0.lanewise(VectorOperators.XOR, q02).lanewise(VectorOperators.BIT_COUNT);
      d2 = d2.add(x1.lanewise(VectorOperators.XOR, q12).lanewise(VectorOperators.BIT_COUNT));
      LongVector d3 = x0.lanewise(VectorOperators.XOR, q03).lanewise(VectorOperators.BIT_COUNT);
      d3 = d3.add(x1.lanewise(VectorOperators.XOR, q13).lanewise(VectorOperators.BIT_COUNT));
      LongVector d = d2.add(d3).add(d3);
      d = d1.add(d).add(d);
      d = d0.add(d).add(d);
      d.add(LongVector.fromArray(L, into, j)).intoArray(into, j);
      at += stride;
    }
  }

  private static void setPlanesOfOneWord(
      long query, long codes, long stride, long[] into, int from, int to) {
    LongVector q00 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query));
    LongVector q01 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 8));
    LongVector q02 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 16));
    LongVector q03 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 24));
    long at = codes;
    for (int j = from; j < to; j += BLOCK) {
      LongVector x0 = LongVector.fromMemorySegment(L, ALL, at, NATIVE);
      LongVector d0 = x0.lanewise(VectorOperators.XOR, q00).lanewise(VectorOperators.BIT_COUNT);
      LongVector d1 = x0.lanewise(VectorOperators.XOR, q01).lanewise(VectorOperators.BIT_COUNT);
      LongVector d2 = x0.lanewise(VectorOperators.XOR, q02).lanewise(VectorOperators.BIT_COUNT);
      LongVector d3 = x0.lanewise(VectorOperators.XOR, q03).lanewise(VectorOperators.BIT_COUNT);
      LongVector d = d2.add(d3).add(d3);
      d = d1.add(d).add(d);
      d = d0.add(d).add(d);
      d.intoArray(into, j);
      at += stride;
    }
  }

  private static void addPlanesOfOneWord(
      long query, long codes, long stride, long[] into, int from, int to) {
    LongVector q00 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query));
    LongVector q01 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 8));
    LongVector q02 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 16));
    LongVector q03 = LongVector.broadcast(L, ALL.get(JAVA_LONG_UNALIGNED, query + 24));
    long at = codes;
    for (int j = from; j < to; j += BLOCK) {
      LongVector x0 = LongVector.fromMemorySegment(L, ALL, at, NATIVE);
      LongVector d0 = x0.lanewise(VectorOperators.XOR, q00).lanewise(VectorOperators.BIT_COUNT);
      LongVector d1 = x0.lanewise(VectorOperators.XOR, q01).lanewise(VectorOperators.BIT_COUNT);
      LongVector d2 = x0.lanewise(VectorOperators.XOR, q02).lanewise(VectorOperators.BIT_COUNT);
      LongVector d3 = x0.lanewise(VectorOperators.XOR, q03).lanewise(VectorOperators.BIT_COUNT);
      LongVector d = d2.add(d3).add(d3);
      d = d1.add(d).add(d);
      d = d0.add(d).add(d);
      d.add(LongVector.fromArray(L, into, j)).intoArray(into, j);
      at += stride;
    }
  }

  /** From sums to estimates: b.level = 960 words - 2 sum. */
  private static void finish(
      int words,
      float scale,
      float base,
      long factors,
      long[] sums,
      float[] into,
      int at,
      int count) {
    float most = TOP_LEVEL * WORD * words;
    FloatVector mosts = FloatVector.broadcast(S, most);
    FloatVector minusTwo = FloatVector.broadcast(S, -2f);
    FloatVector scales = FloatVector.broadcast(S, scale);
    FloatVector bases = FloatVector.broadcast(S, base);
    int j = 0;
    for (; j + LANES <= count; j += LANES) {
      LongVector odd = LongVector.fromArray(L, sums, j + CODES).lanewise(VectorOperators.LSHL, 32);
      IntVector both = LongVector.fromArray(L, sums, j).or(odd).reinterpretAsInts();
      FloatVector x = both.convert(VectorOperators.I2F, 0).reinterpretAsFloats();
      x = x.rearrange(EVEN_THEN_ODD);
      FloatVector factor = FloatVector.fromMemorySegment(S, ALL, factors + 4L * j, NATIVE);
      x.fma(minusTwo, mosts).mul(scales).fma(factor, bases).intoArray(into, at + j);
    }
    for (; j < count; j++) { // half a vector at most
      float factor = ALL.get(JAVA_FLOAT_UNALIGNED, factors + 4L * j);
      into[at + j] = Math.fma(scale * (most - 2f * (int) sums[j]), factor, base);
    }
  }

  // ---- selection -----------------------------------------------------------------------------

  @Override
  public float threshold(float[] values, int size, int k) {
    FloatVector lowest = FloatVector.broadcast(S, Float.POSITIVE_INFINITY);
    FloatVector highest = FloatVector.broadcast(S, Float.NEGATIVE_INFINITY);
    int whole = size - size % LANES;
    for (int i = 0; i < whole; i += LANES) {
      FloatVector x = FloatVector.fromArray(S, values, i);
      lowest = lowest.min(x);
      highest = highest.max(x);
    }
    float low = lowest.reduceLanes(VectorOperators.MIN);
    float high = highest.reduceLanes(VectorOperators.MAX);
    for (int i = whole; i < size; i++) {
      low = Math.min(low, values[i]);
      high = Math.max(high, values[i]);
    }
    for (int halving = 0; halving < ComputeBackend.HALVINGS; halving++) {
      float middle = 0.5f * low + 0.5f * high;
      int reached = 0;
      for (int i = 0; i < whole; i += LANES) {
        FloatVector x = FloatVector.fromArray(S, values, i);
        reached += x.compare(VectorOperators.GE, middle).trueCount();
      }
      for (int i = whole; i < size; i++) {
        reached += values[i] >= middle ? 1 : 0;
      }
      if (reached >= k) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

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
