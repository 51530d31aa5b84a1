// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static megaclass.compute.NativeMemory.ALL;

/** The definition of every operation on codes, as plain loops. */
final class ScalarCodes implements CodeKernels {
  private static float get(long address, long index) {
    return ALL.get(JAVA_FLOAT_UNALIGNED, address + 4 * index);
  }

  private static void set(long address, long index, float value) {
    ALL.set(JAVA_FLOAT_UNALIGNED, address + 4 * index, value);
  }

  private static long getLong(long address, long index) {
    return ALL.get(JAVA_LONG_UNALIGNED, address + 8 * index);
  }

  private static void setLong(long address, long index, long value) {
    ALL.set(JAVA_LONG_UNALIGNED, address + 8 * index, value);
  }

  // ---- rows ----------------------------------------------------------------------------------

  @Override
  public void rotate(long row, int width, float[] factors, int codeDim, long into) {
    for (int i = 0; i < codeDim; i++) {
      set(into, i, i < width ? get(row, i) : 0f);
    }
    int size = Integer.highestOneBit(codeDim);
    int rest = codeDim - size;
    int perRound = CodeKernels.factorsOfRound(codeDim);
    for (int round = 0; round < factors.length / perRound; round++) {
      int first = round * perRound;
      for (int i = 0; i < codeDim; i++) {
        set(into, i, get(into, i) * factors[first + i]);
      }
      transform(round % 2 == 0 ? into : into + 4L * rest, size);
      if (rest > 0) {
        mixHalves(into, factors, first + codeDim, codeDim / 2);
      }
    }
  }

  /** Multiplies by the (size, size) matrix whose entry (i, j) is -1 to the popcount of i & j. */
  private static void transform(long x, int size) {
    for (int h = 1; h < size; h *= 2) {
      for (int i = 0; i < size; i++) {
        if ((i & h) == 0) {
          float a = get(x, i);
          float b = get(x, i + h);
          set(x, i, a + b);
          set(x, i + h, a - b);
        }
      }
    }
  }

  private static void mixHalves(long x, float[] factors, int first, int half) {
    for (int i = 0; i < half; i++) {
      float a = get(x, i);
      float b = get(x, i + half) * factors[first + i];
      set(x, i, (a + b) * HALF_ROOT);
      set(x, i + half, (a - b) * HALF_ROOT);
    }
  }

  @Override
  public float signs(long row, int words, long into, int stride) {
    float sum = 0;
    for (int w = 0; w < words; w++) {
      long word = 0;
      for (int i = 0; i < WORD; i++) {
        float x = get(row, w * WORD + i);
        sum += Math.abs(x);
        if (x > 0) {
          word |= 1L << i;
        }
      }
      setLong(into, (long) w * stride, word);
    }
    return sum;
  }

  // ---- queries -------------------------------------------------------------------------------

  @Override
  public float planes(long row, int words, long into) {
    float largest = 0;
    for (int i = 0; i < words * WORD; i++) {
      largest = Math.max(largest, Math.abs(get(row, i)));
    }
    boolean zero = largest < SMALLEST_QUERY;
    float toLevels = zero ? 0 : TOP_LEVEL / 2f / largest;
    for (int w = 0; w < words; w++) {
      for (int k = 0; k < PLANES; k++) {
        setLong(into, w * PLANES + k, 0);
      }
      for (int i = 0; i < WORD; i++) {
        int bits = (int) Math.rint(Math.fma(get(row, w * WORD + i), toLevels, TOP_LEVEL / 2f));
        for (int k = 0; k < PLANES; k++) {
          long plane = getLong(into, w * PLANES + k);
          setLong(into, w * PLANES + k, plane | ((bits >> k) & 1L) << i);
        }
      }
    }
    return zero ? 0 : largest / TOP_LEVEL;
  }

  // ---- scans ---------------------------------------------------------------------------------

  @Override
  public void distances(
      long[] queries, int numQueries, long codes, int numBlocks, int words, int[] into) {
    int numCodes = numBlocks * BLOCK;
    for (int i = 0; i < numQueries; i++) {
      for (int j = 0; j < numCodes; j++) {
        long code = codes + CodeKernels.offset(j, words);
        int distance = 0;
        for (int w = 0; w < words; w++) {
          distance += Long.bitCount(getLong(code, (long) w * BLOCK) ^ getLong(queries[i], w));
        }
        into[i * numCodes + j] = distance;
      }
    }
  }

  private static int product(long query, long code, int words) {
    int sum = 0;
    for (int w = 0; w < words; w++) {
      long word = getLong(code, (long) w * BLOCK);
      for (int k = 0; k < PLANES; k++) {
        sum += (WORD - 2 * Long.bitCount(word ^ getLong(query, w * PLANES + k))) << k;
      }
    }
    return sum;
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
      long[] scratch,
      float[] into) {
    int numCodes = numBlocks * BLOCK;
    for (int i = 0; i < numQueries; i++) {
      for (int j = 0; j < numCodes; j++) {
        int product = product(queries[i], codes + CodeKernels.offset(j, words), words);
        into[i * numCodes + j] = Math.fma(get(factors, j), scales[i] * product, bases[i]);
      }
    }
  }

  @Override
  public float threshold(float[] values, int size, int k) {
    float low = Float.POSITIVE_INFINITY;
    float high = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < size; i++) {
      low = Math.min(low, values[i]);
      high = Math.max(high, values[i]);
    }
    for (int halving = 0; halving < ComputeBackend.HALVINGS; halving++) {
      float middle = 0.5f * low + 0.5f * high;
      int reached = 0;
      for (int i = 0; i < size; i++) {
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
    for (int i = from; i < to; i++) {
      if (values[i] > threshold) {
        into[found++] = i - from;
      }
    }
    return found;
  }

  @Override
  public int below(int[] values, int from, int to, int threshold, int[] into) {
    int found = 0;
    for (int i = from; i < to; i++) {
      if (values[i] < threshold) {
        into[found++] = i - from;
      }
    }
    return found;
  }
}
