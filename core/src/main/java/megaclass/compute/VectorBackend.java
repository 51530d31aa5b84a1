// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static megaclass.compute.NativeMemory.ALL;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The Vector API implementation. Matrix products are in {@link GemmWide} and {@link GemmNarrow},
 * operations on codes in {@link VectorCodes}; the rest is below, one flat loop each (see {@link
 * GemmWide} for why).
 */
public final class VectorBackend implements ComputeBackend {
  private static final CodeKernels CODES = new VectorCodes();
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

  /** Words of two numbers: half a row of any padded width is a multiple of eight of them. */
  private static final VectorSpecies<Integer> PAIRS =
      S.length() >= 8 ? IntVector.SPECIES_256 : IntVector.SPECIES_128;

  private static final int UPPER = 0xFFFF0000;
  private static final int LOWER = 0xFFFF;

  /** As many bytes as S has floats; twice as many where vectors of bytes do not come so short. */
  private static final VectorSpecies<Byte> BYTES =
      S.length() >= 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;

  /** Bytes of a vector; divides those of a padded row and of a panel's row. */
  private static final long V = S.vectorByteSize();

  /** Bytes from row to row of a panel. */
  private static final long ROW = PANEL * 4L;

  private static final boolean WIDE = S.length() == 16;

  // Lanes are added by these rotations, not by reduceLanes(ADD), whose order differs between the
  // interpreter and compiled code: a run would depend on when its loops were compiled.
  private static final VectorShuffle<Float> BY_8 = VectorShuffle.iota(S, 8, 1, true);
  private static final VectorShuffle<Float> BY_4 = VectorShuffle.iota(S, 4, 1, true);
  private static final VectorShuffle<Float> BY_2 = VectorShuffle.iota(S, 2, 1, true);
  private static final VectorShuffle<Float> BY_1 = VectorShuffle.iota(S, 1, 1, true);

  // exp(x) = 2^n exp(f), n = round(x / ln 2), f = x - n ln 2 with ln 2 in two parts, and exp(f) by
  // the polynomial of Cephes' expf: within 7e-8 of the true value. Not lanewise(EXP), whose last
  // bits differ between the interpreter and compiled code, and which is 1.1x slower (AVX-512).
  // Pasted
  // where it is used: a vector that crosses a method boundary may be boxed.
  private static final float PER_LN_2 = 1.442695f;

  /** 1.5 * 2^23: a float that is added to it is rounded to an integer, in the low bits. */
  private static final float ROUND = 12582912f;

  private static final float MINUS_LN_2_HIGH = -0.6933594f;
  private static final float MINUS_LN_2_LOW = 2.1219444e-4f;
  private static final float C7 = 1.9875691e-4f;
  private static final float C6 = 1.3981999e-3f;
  private static final float C5 = 8.333452e-3f;
  private static final float C4 = 4.1665796e-2f;
  private static final float C3 = 1.6666666e-1f;
  private static final float C2 = 0.5f;
  private static final int MANTISSA_BITS = 23;
  private static final int BITS_OF_ONE = 0x3F800000;

  @Override
  public String description() {
    return "vector " + S.vectorBitSize() + " bit";
  }

  @Override
  public CodeKernels codes() {
    return CODES;
  }

  @Override
  public void logits(long[] rows, int numRows, long panel, int width, long tile) {
    if (WIDE) {
      GemmWide.logits(rows, numRows, panel, width, tile);
    } else {
      GemmNarrow.logits(rows, numRows, panel, width, tile);
    }
  }

  @Override
  public void embeddingGradient(
      long weights, int stride, long tile, int numRows, int width, long into) {
    if (WIDE) {
      GemmWide.embeddingGradient(weights, stride, tile, numRows, width, into);
    } else {
      GemmNarrow.embeddingGradient(weights, stride, tile, numRows, width, into);
    }
  }

  @Override
  public void weightGradient(
      long tiles, int numPanels, int numRows, long embeddings, int numBlocks, long into) {
    if (WIDE) {
      GemmWide.weightGradient(tiles, numPanels, numRows, embeddings, numBlocks, into);
    } else {
      GemmNarrow.weightGradient(tiles, numPanels, numRows, embeddings, numBlocks, into);
    }
  }

  @Override
  public void scaleAndShift(long tile, int numRows, float[] scale, float[] shift) {
    for (int r = 0; r < numRows; r++) {
      FloatVector factor = FloatVector.broadcast(S, scale[r]);
      FloatVector addend = FloatVector.broadcast(S, shift[r]);
      long end = tile + (r + 1) * ROW;
      for (long at = tile + r * ROW; at < end; at += V) {
        FloatVector z = FloatVector.fromMemorySegment(S, ALL, at, NATIVE);
        z.fma(factor, addend).intoMemorySegment(ALL, at, NATIVE);
      }
    }
  }

  @Override
  public void columnMax(long tile, int numRows, long into) {
    for (long column = 0; column < ROW; column += 4 * V) { // of a row at once what lies together
      FloatVector lowest = FloatVector.broadcast(S, Float.NEGATIVE_INFINITY);
      FloatVector max0 = lowest;
      FloatVector max1 = lowest;
      FloatVector max2 = lowest;
      FloatVector max3 = lowest;
      long at = tile + column;
      for (int r = 0; r < numRows; r++) {
        max0 = max0.max(FloatVector.fromMemorySegment(S, ALL, at, NATIVE));
        max1 = max1.max(FloatVector.fromMemorySegment(S, ALL, at + V, NATIVE));
        max2 = max2.max(FloatVector.fromMemorySegment(S, ALL, at + 2 * V, NATIVE));
        max3 = max3.max(FloatVector.fromMemorySegment(S, ALL, at + 3 * V, NATIVE));
        at += ROW;
      }
      max0.intoMemorySegment(ALL, into + column, NATIVE);
      max1.intoMemorySegment(ALL, into + column + V, NATIVE);
      max2.intoMemorySegment(ALL, into + column + 2 * V, NATIVE);
      max3.intoMemorySegment(ALL, into + column + 3 * V, NATIVE);
    }
  }

  @Override
  public void rowMax(long tile, int numRows, int numColumns, float[] into) {
    for (int r = 0; r < numRows; r++) {
      FloatVector max = FloatVector.broadcast(S, Float.NEGATIVE_INFINITY);
      long row = tile + r * ROW;
      int i = 0;
      for (; i + S.length() <= numColumns; i += S.length()) {
        max = max.max(FloatVector.fromMemorySegment(S, ALL, row + 4L * i, NATIVE));
      }
      if (i < numColumns) {
        VectorMask<Float> mask = S.indexInRange(i, numColumns);
        FloatVector rest = FloatVector.fromMemorySegment(S, ALL, row + 4L * i, NATIVE);
        max = max.lanewise(VectorOperators.MAX, rest, mask);
      }
      into[r] = max.reduceLanes(VectorOperators.MAX);
    }
  }

  @Override
  public void expAndSum(long tile, int numRows, long offset, long sum) {
    FloatVector perLn2 = FloatVector.broadcast(S, PER_LN_2);
    FloatVector round = FloatVector.broadcast(S, ROUND);
    FloatVector high = FloatVector.broadcast(S, MINUS_LN_2_HIGH);
    FloatVector low = FloatVector.broadcast(S, MINUS_LN_2_LOW);
    FloatVector c7 = FloatVector.broadcast(S, C7);
    FloatVector c6 = FloatVector.broadcast(S, C6);
    FloatVector c5 = FloatVector.broadcast(S, C5);
    FloatVector c4 = FloatVector.broadcast(S, C4);
    FloatVector c3 = FloatVector.broadcast(S, C3);
    FloatVector c2 = FloatVector.broadcast(S, C2);
    FloatVector one = FloatVector.broadcast(S, 1f);
    for (long column = 0; column < ROW; column += V) {
      FloatVector shift = FloatVector.fromMemorySegment(S, ALL, offset + column, NATIVE);
      FloatVector total = FloatVector.fromMemorySegment(S, ALL, sum + column, NATIVE);
      long at = tile + column;
      for (int r = 0; r < numRows; r++) {
        FloatVector x = FloatVector.fromMemorySegment(S, ALL, at, NATIVE).sub(shift);
        FloatVector t = x.fma(perLn2, round);
        FloatVector n = t.sub(round);
        FloatVector f = n.fma(low, n.fma(high, x));
        FloatVector p = c7.fma(f, c6).fma(f, c5).fma(f, c4).fma(f, c3).fma(f, c2);
        p = p.fma(f, one).fma(f, one);
        IntVector power = t.reinterpretAsInts().lanewise(VectorOperators.LSHL, MANTISSA_BITS);
        FloatVector e = p.mul(power.add(BITS_OF_ONE).reinterpretAsFloats());
        e = e.blend(0f, x.compare(VectorOperators.LT, LOWEST_EXPONENT));
        e = e.blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, HIGHEST_EXPONENT));
        e.intoMemorySegment(ALL, at, NATIVE);
        total = total.add(e);
        at += ROW;
      }
      total.intoMemorySegment(ALL, sum + column, NATIVE);
    }
  }

  @Override
  public void expAndScale(long tile, int numRows, long offset, long factor) {
    FloatVector perLn2 = FloatVector.broadcast(S, PER_LN_2);
    FloatVector round = FloatVector.broadcast(S, ROUND);
    FloatVector high = FloatVector.broadcast(S, MINUS_LN_2_HIGH);
    FloatVector low = FloatVector.broadcast(S, MINUS_LN_2_LOW);
    FloatVector c7 = FloatVector.broadcast(S, C7);
    FloatVector c6 = FloatVector.broadcast(S, C6);
    FloatVector c5 = FloatVector.broadcast(S, C5);
    FloatVector c4 = FloatVector.broadcast(S, C4);
    FloatVector c3 = FloatVector.broadcast(S, C3);
    FloatVector c2 = FloatVector.broadcast(S, C2);
    FloatVector one = FloatVector.broadcast(S, 1f);
    for (long column = 0; column < ROW; column += V) {
      FloatVector shift = FloatVector.fromMemorySegment(S, ALL, offset + column, NATIVE);
      FloatVector scale = FloatVector.fromMemorySegment(S, ALL, factor + column, NATIVE);
      long at = tile + column;
      for (int r = 0; r < numRows; r++) {
        FloatVector x = FloatVector.fromMemorySegment(S, ALL, at, NATIVE).sub(shift);
        FloatVector t = x.fma(perLn2, round);
        FloatVector n = t.sub(round);
        FloatVector f = n.fma(low, n.fma(high, x));
        FloatVector p = c7.fma(f, c6).fma(f, c5).fma(f, c4).fma(f, c3).fma(f, c2);
        p = p.fma(f, one).fma(f, one);
        IntVector power = t.reinterpretAsInts().lanewise(VectorOperators.LSHL, MANTISSA_BITS);
        FloatVector e = p.mul(power.add(BITS_OF_ONE).reinterpretAsFloats());
        e = e.blend(0f, x.compare(VectorOperators.LT, LOWEST_EXPONENT));
        e = e.blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, HIGHEST_EXPONENT));
        e.mul(scale).intoMemorySegment(ALL, at, NATIVE);
        at += ROW;
      }
    }
  }

  @Override
  public void scaleColumns(long tile, int numRows, long factor) {
    for (long column = 0; column < ROW; column += V) {
      FloatVector scale = FloatVector.fromMemorySegment(S, ALL, factor + column, NATIVE);
      long at = tile + column;
      for (int r = 0; r < numRows; r++) {
        FloatVector e = FloatVector.fromMemorySegment(S, ALL, at, NATIVE);
        e.mul(scale).intoMemorySegment(ALL, at, NATIVE);
        at += ROW;
      }
    }
  }

  @Override
  public void columnThreshold(long tile, int numRows, int k, long into) {
    FloatVector one = FloatVector.broadcast(S, 1f);
    FloatVector zero = FloatVector.zero(S);
    for (long column = 0; column < ROW; column += V) {
      FloatVector low = FloatVector.broadcast(S, Float.POSITIVE_INFINITY);
      FloatVector high = FloatVector.broadcast(S, Float.NEGATIVE_INFINITY);
      long at = tile + column;
      for (int r = 0; r < numRows; r++) {
        FloatVector z = FloatVector.fromMemorySegment(S, ALL, at, NATIVE);
        low = low.min(z);
        high = high.max(z);
        at += ROW;
      }
      for (int halving = 0; halving < HALVINGS; halving++) {
        FloatVector middle = low.mul(0.5f).add(high.mul(0.5f));
        FloatVector reached = FloatVector.zero(S);
        at = tile + column;
        for (int r = 0; r < numRows; r++) {
          FloatVector z = FloatVector.fromMemorySegment(S, ALL, at, NATIVE);
          reached = reached.add(zero.blend(one, z.compare(VectorOperators.GE, middle)));
          at += ROW;
        }
        VectorMask<Float> enough = reached.compare(VectorOperators.GE, (float) k);
        low = low.blend(middle, enough);
        high = middle.blend(high, enough);
      }
      low.intoMemorySegment(ALL, into + column, NATIVE);
    }
  }

  @Override
  public int above(long tile, int numRows, long threshold, int[] into) {
    int found = 0;
    long at = tile;
    for (int r = 0; r < numRows; r++) {
      for (int i = 0; i < PANEL; i += S.length()) {
        FloatVector z = FloatVector.fromMemorySegment(S, ALL, at, NATIVE);
        FloatVector limit = FloatVector.fromMemorySegment(S, ALL, threshold + 4L * i, NATIVE);
        long hits = z.compare(VectorOperators.GT, limit).toLong();
        for (; hits != 0; hits &= hits - 1) {
          into[found++] = r * PANEL + i + Long.numberOfTrailingZeros(hits);
        }
        at += V;
      }
    }
    return found;
  }

  @Override
  public float dot(long a, long b, int stride) {
    FloatVector sum = FloatVector.zero(S);
    for (long offset = 0; offset < 4L * stride; offset += V) {
      FloatVector x = FloatVector.fromMemorySegment(S, ALL, a + offset, NATIVE);
      sum = x.fma(FloatVector.fromMemorySegment(S, ALL, b + offset, NATIVE), sum);
    }
    if (S.length() >= 16) {
      sum = sum.add(sum.rearrange(BY_8));
    }
    if (S.length() >= 8) {
      sum = sum.add(sum.rearrange(BY_4));
    }
    sum = sum.add(sum.rearrange(BY_2));
    return sum.add(sum.rearrange(BY_1)).lane(0);
  }

  /**
   * Four rows at once hide the latency of each sum, and of rows at random addresses. Behind the
   * last row it is taken again.
   */
  @Override
  public void dots(long[] rows, int count, long row, int stride, float[] into) {
    for (int i = 0; i < count; i += 4) {
      int i1 = Math.min(i + 1, count - 1);
      int i2 = Math.min(i + 2, count - 1);
      int i3 = Math.min(i + 3, count - 1);
      long a0 = rows[i];
      long a1 = rows[i1];
      long a2 = rows[i2];
      long a3 = rows[i3];
      FloatVector s0 = FloatVector.zero(S);
      FloatVector s1 = s0;
      FloatVector s2 = s0;
      FloatVector s3 = s0;
      for (int j = 0; j < stride; j += S.length()) {
        FloatVector x = FloatVector.fromMemorySegment(S, ALL, row + 4L * j, NATIVE);
        s0 = FloatVector.fromMemorySegment(S, ALL, a0 + 4L * j, NATIVE).fma(x, s0);
        s1 = FloatVector.fromMemorySegment(S, ALL, a1 + 4L * j, NATIVE).fma(x, s1);
        s2 = FloatVector.fromMemorySegment(S, ALL, a2 + 4L * j, NATIVE).fma(x, s2);
        s3 = FloatVector.fromMemorySegment(S, ALL, a3 + 4L * j, NATIVE).fma(x, s3);
      }
      if (S.length() >= 16) {
        s0 = s0.add(s0.rearrange(BY_8));
        s1 = s1.add(s1.rearrange(BY_8));
        s2 = s2.add(s2.rearrange(BY_8));
        s3 = s3.add(s3.rearrange(BY_8));
      }
      if (S.length() >= 8) {
        s0 = s0.add(s0.rearrange(BY_4));
        s1 = s1.add(s1.rearrange(BY_4));
        s2 = s2.add(s2.rearrange(BY_4));
        s3 = s3.add(s3.rearrange(BY_4));
      }
      s0 = s0.add(s0.rearrange(BY_2));
      s1 = s1.add(s1.rearrange(BY_2));
      s2 = s2.add(s2.rearrange(BY_2));
      s3 = s3.add(s3.rearrange(BY_2));
      into[i] = s0.add(s0.rearrange(BY_1)).lane(0);
      into[i1] = s1.add(s1.rearrange(BY_1)).lane(0);
      into[i2] = s2.add(s2.rearrange(BY_1)).lane(0);
      into[i3] = s3.add(s3.rearrange(BY_1)).lane(0);
    }
  }

  @Override
  public void codeDots(long[] codes, int count, long row, int stride, float[] into) {
    for (int i = 0; i < count; i += 4) {
      int i1 = Math.min(i + 1, count - 1);
      int i2 = Math.min(i + 2, count - 1);
      int i3 = Math.min(i + 3, count - 1);
      long a0 = codes[i];
      long a1 = codes[i1];
      long a2 = codes[i2];
      long a3 = codes[i3];
      FloatVector s0 = FloatVector.zero(S);
      FloatVector s1 = s0;
      FloatVector s2 = s0;
      FloatVector s3 = s0;
      for (int j = 0; j < stride; j += BYTES.length()) {
        FloatVector x = FloatVector.fromMemorySegment(S, ALL, row + 4L * j, NATIVE);
        ByteVector c0 = ByteVector.fromMemorySegment(BYTES, ALL, a0 + j, NATIVE);
        ByteVector c1 = ByteVector.fromMemorySegment(BYTES, ALL, a1 + j, NATIVE);
        ByteVector c2 = ByteVector.fromMemorySegment(BYTES, ALL, a2 + j, NATIVE);
        ByteVector c3 = ByteVector.fromMemorySegment(BYTES, ALL, a3 + j, NATIVE);
        s0 = ((FloatVector) c0.convertShape(VectorOperators.B2F, S, 0)).fma(x, s0);
        s1 = ((FloatVector) c1.convertShape(VectorOperators.B2F, S, 0)).fma(x, s1);
        s2 = ((FloatVector) c2.convertShape(VectorOperators.B2F, S, 0)).fma(x, s2);
        s3 = ((FloatVector) c3.convertShape(VectorOperators.B2F, S, 0)).fma(x, s3);
        if (S.length() < BYTES.length()) {
          x = FloatVector.fromMemorySegment(S, ALL, row + 4L * j + V, NATIVE);
          s0 = ((FloatVector) c0.convertShape(VectorOperators.B2F, S, 1)).fma(x, s0);
          s1 = ((FloatVector) c1.convertShape(VectorOperators.B2F, S, 1)).fma(x, s1);
          s2 = ((FloatVector) c2.convertShape(VectorOperators.B2F, S, 1)).fma(x, s2);
          s3 = ((FloatVector) c3.convertShape(VectorOperators.B2F, S, 1)).fma(x, s3);
        }
      }
      if (S.length() >= 16) {
        s0 = s0.add(s0.rearrange(BY_8));
        s1 = s1.add(s1.rearrange(BY_8));
        s2 = s2.add(s2.rearrange(BY_8));
        s3 = s3.add(s3.rearrange(BY_8));
      }
      if (S.length() >= 8) {
        s0 = s0.add(s0.rearrange(BY_4));
        s1 = s1.add(s1.rearrange(BY_4));
        s2 = s2.add(s2.rearrange(BY_4));
        s3 = s3.add(s3.rearrange(BY_4));
      }
      s0 = s0.add(s0.rearrange(BY_2));
      s1 = s1.add(s1.rearrange(BY_2));
      s2 = s2.add(s2.rearrange(BY_2));
      s3 = s3.add(s3.rearrange(BY_2));
      into[i] = s0.add(s0.rearrange(BY_1)).lane(0);
      into[i1] = s1.add(s1.rearrange(BY_1)).lane(0);
      into[i2] = s2.add(s2.rearrange(BY_1)).lane(0);
      into[i3] = s3.add(s3.rearrange(BY_1)).lane(0);
    }
  }

  @Override
  public void scaled(long row, float factor, int stride, long into) {
    FloatVector scale = FloatVector.broadcast(S, factor);
    for (long offset = 0; offset < 4L * stride; offset += V) {
      FloatVector x = FloatVector.fromMemorySegment(S, ALL, row + offset, NATIVE);
      x.mul(scale).intoMemorySegment(ALL, into + offset, NATIVE);
    }
  }

  @Override
  public void addScaled(long row, float factor, int stride, long into) {
    FloatVector scale = FloatVector.broadcast(S, factor);
    for (long offset = 0; offset < 4L * stride; offset += V) {
      FloatVector x = FloatVector.fromMemorySegment(S, ALL, row + offset, NATIVE);
      FloatVector y = FloatVector.fromMemorySegment(S, ALL, into + offset, NATIVE);
      x.fma(scale, y).intoMemorySegment(ALL, into + offset, NATIVE);
    }
  }

  @Override
  public void widen(long row, int stride, long into) {
    long half = 2L * stride;
    for (long offset = 0; offset < half; offset += PAIRS.vectorByteSize()) {
      IntVector words = IntVector.fromMemorySegment(PAIRS, ALL, row + offset, NATIVE);
      words.and(UPPER).intoMemorySegment(ALL, into + offset, NATIVE);
      words.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(ALL, into + half + offset, NATIVE);
    }
  }

  /** {@link Rounding#bits} of as many positions as a vector has lanes. */
  @Override
  public void narrow(long row, int stride, int key, long into) {
    long half = 2L * stride;
    IntVector positions = IntVector.zero(PAIRS).addIndex(1).mul(Rounding.STEP).add(key);
    for (long offset = 0; offset < half; offset += PAIRS.vectorByteSize()) {
      IntVector x = positions;
      x = x.lanewise(VectorOperators.XOR, x.lanewise(VectorOperators.LSHR, 16));
      x = x.mul(Rounding.FIRST);
      x = x.lanewise(VectorOperators.XOR, x.lanewise(VectorOperators.LSHR, 13));
      x = x.mul(Rounding.SECOND);
      x = x.lanewise(VectorOperators.XOR, x.lanewise(VectorOperators.LSHR, 16));
      IntVector first = IntVector.fromMemorySegment(PAIRS, ALL, row + offset, NATIVE);
      first = first.add(x.and(LOWER)).and(UPPER);
      IntVector second = IntVector.fromMemorySegment(PAIRS, ALL, row + half + offset, NATIVE);
      second = second.add(x.lanewise(VectorOperators.LSHR, 16)).lanewise(VectorOperators.LSHR, 16);
      first.or(second).intoMemorySegment(ALL, into + offset, NATIVE);
      positions = positions.add(Rounding.STEP * PAIRS.length());
    }
  }

  /** Four rows in flight hide the latency of rows at random addresses; eight gave no more. */
  @Override
  public void sum(long[] rows, int from, int to, int stride, long into) {
    FloatVector zero = FloatVector.zero(S);
    for (long offset = 0; offset < 4L * stride; offset += V) {
      zero.intoMemorySegment(ALL, into + offset, NATIVE);
    }
    int r = from;
    for (; r + 4 <= to; r += 4) {
      long row0 = rows[r];
      long row1 = rows[r + 1];
      long row2 = rows[r + 2];
      long row3 = rows[r + 3];
      for (long offset = 0; offset < 4L * stride; offset += V) {
        FloatVector sum = FloatVector.fromMemorySegment(S, ALL, into + offset, NATIVE);
        sum = sum.add(FloatVector.fromMemorySegment(S, ALL, row0 + offset, NATIVE));
        sum = sum.add(FloatVector.fromMemorySegment(S, ALL, row1 + offset, NATIVE));
        sum = sum.add(FloatVector.fromMemorySegment(S, ALL, row2 + offset, NATIVE));
        sum = sum.add(FloatVector.fromMemorySegment(S, ALL, row3 + offset, NATIVE));
        sum.intoMemorySegment(ALL, into + offset, NATIVE);
      }
    }
    for (; r < to; r++) {
      addScaled(rows[r], 1f, stride, into);
    }
  }

  @Override
  public void momentumStep(
      long w,
      long v,
      long g,
      int stride,
      float rate,
      float momentum,
      float decay,
      boolean nesterov) {
    FloatVector minusRate = FloatVector.broadcast(S, -rate);
    FloatVector keep = FloatVector.broadcast(S, momentum);
    FloatVector shrink = FloatVector.broadcast(S, decay);
    // Nesterov looks one velocity ahead; the factors make the two forms one loop without a branch.
    FloatVector ofGradient = FloatVector.broadcast(S, nesterov ? 1f : 0f);
    FloatVector ofVelocity = FloatVector.broadcast(S, nesterov ? momentum : 1f);
    for (long offset = 0; offset < 4L * stride; offset += V) {
      FloatVector weight = FloatVector.fromMemorySegment(S, ALL, w + offset, NATIVE);
      FloatVector gradient =
          weight.fma(shrink, FloatVector.fromMemorySegment(S, ALL, g + offset, NATIVE));
      FloatVector velocity = FloatVector.fromMemorySegment(S, ALL, v + offset, NATIVE);
      velocity = velocity.fma(keep, gradient);
      velocity.intoMemorySegment(ALL, v + offset, NATIVE);
      FloatVector move = velocity.fma(ofVelocity, gradient.mul(ofGradient));
      move.fma(minusRate, weight).intoMemorySegment(ALL, w + offset, NATIVE);
    }
  }

  @Override
  public void transform(long w, long v, int stride, float a, float b, float c, float d) {
    FloatVector va = FloatVector.broadcast(S, a);
    FloatVector vb = FloatVector.broadcast(S, b);
    FloatVector vc = FloatVector.broadcast(S, c);
    FloatVector vd = FloatVector.broadcast(S, d);
    for (long offset = 0; offset < 4L * stride; offset += V) {
      FloatVector weight = FloatVector.fromMemorySegment(S, ALL, w + offset, NATIVE);
      FloatVector velocity = FloatVector.fromMemorySegment(S, ALL, v + offset, NATIVE);
      velocity.fma(va, weight.mul(vb)).intoMemorySegment(ALL, v + offset, NATIVE);
      velocity.fma(vc, weight.mul(vd)).intoMemorySegment(ALL, w + offset, NATIVE);
    }
  }
}
