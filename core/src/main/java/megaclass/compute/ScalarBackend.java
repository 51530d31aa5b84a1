// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static megaclass.compute.NativeMemory.ALL;

/** The definition of every operation, as plain loops; also what runs without the Vector API. */
public final class ScalarBackend implements ComputeBackend {
  private static final CodeKernels CODES = new ScalarCodes();
  private static final int UPPER = 0xFFFF0000;
  private static final int LOWER = 0xFFFF;

  @Override
  public String description() {
    return "scalar";
  }

  @Override
  public CodeKernels codes() {
    return CODES;
  }

  private static float get(long address, long index) {
    return ALL.get(JAVA_FLOAT_UNALIGNED, address + 4 * index);
  }

  private static void set(long address, long index, float value) {
    ALL.set(JAVA_FLOAT_UNALIGNED, address + 4 * index, value);
  }

  @Override
  public void logits(long[] rows, int numRows, long panel, int width, long tile) {
    for (int r = 0; r < numRows; r++) {
      for (int i = 0; i < PANEL; i++) {
        float sum = 0;
        for (int p = 0; p < width; p++) {
          sum = Math.fma(get(rows[r], p), get(panel, (long) p * PANEL + i), sum);
        }
        set(tile, r * PANEL + i, sum);
      }
    }
  }

  @Override
  public void embeddingGradient(
      long weights, int stride, long tile, int numRows, int width, long into) {
    for (int p = 0; p < width; p++) {
      for (int i = 0; i < PANEL; i++) {
        float sum = get(into, p * PANEL + i);
        for (int r = 0; r < numRows; r++) {
          sum = Math.fma(get(weights, (long) r * stride + p), get(tile, r * PANEL + i), sum);
        }
        set(into, p * PANEL + i, sum);
      }
    }
  }

  @Override
  public void weightGradient(
      long tiles, int numPanels, int numRows, long embeddings, int numBlocks, long into) {
    long samples = (long) numPanels * PANEL;
    for (int r = 0; r < numRows; r++) {
      for (int block = 0; block < numBlocks; block++) {
        for (int j = 0; j < PANEL; j++) {
          float sum = 0;
          for (long i = 0; i < samples; i++) {
            float g = get(tiles, (i / PANEL * numRows + r) * PANEL + i % PANEL);
            sum = Math.fma(g, get(embeddings, (block * samples + i) * PANEL + j), sum);
          }
          set(into, (long) r * numBlocks * PANEL + ((long) block * PANEL) + j, sum);
        }
      }
    }
  }

  @Override
  public void scaleAndShift(long tile, int numRows, float[] scale, float[] shift) {
    for (int r = 0; r < numRows; r++) {
      for (int i = 0; i < PANEL; i++) {
        set(tile, r * PANEL + i, Math.fma(get(tile, r * PANEL + i), scale[r], shift[r]));
      }
    }
  }

  @Override
  public void columnMax(long tile, int numRows, long into) {
    for (int i = 0; i < PANEL; i++) {
      float max = Float.NEGATIVE_INFINITY;
      for (int r = 0; r < numRows; r++) {
        max = Math.max(max, get(tile, r * PANEL + i));
      }
      set(into, i, max);
    }
  }

  @Override
  public void rowMax(long tile, int numRows, int numColumns, float[] into) {
    for (int r = 0; r < numRows; r++) {
      float max = Float.NEGATIVE_INFINITY;
      for (int i = 0; i < numColumns; i++) {
        max = Math.max(max, get(tile, r * PANEL + i));
      }
      into[r] = max;
    }
  }

  private static float exp(float x) {
    if (x < LOWEST_EXPONENT) {
      return 0;
    }
    return x > HIGHEST_EXPONENT ? Float.POSITIVE_INFINITY : (float) Math.exp(x);
  }

  @Override
  public void expAndSum(long tile, int numRows, long offset, long sum) {
    for (int i = 0; i < PANEL; i++) {
      float total = get(sum, i);
      for (int r = 0; r < numRows; r++) {
        float e = exp(get(tile, r * PANEL + i) - get(offset, i));
        set(tile, r * PANEL + i, e);
        total += e;
      }
      set(sum, i, total);
    }
  }

  @Override
  public void expAndScale(long tile, int numRows, long offset, long factor) {
    for (int r = 0; r < numRows; r++) {
      for (int i = 0; i < PANEL; i++) {
        float e = exp(get(tile, r * PANEL + i) - get(offset, i));
        set(tile, r * PANEL + i, e * get(factor, i));
      }
    }
  }

  @Override
  public void scaleColumns(long tile, int numRows, long factor) {
    for (int r = 0; r < numRows; r++) {
      for (int i = 0; i < PANEL; i++) {
        set(tile, r * PANEL + i, get(tile, r * PANEL + i) * get(factor, i));
      }
    }
  }

  @Override
  public void columnThreshold(long tile, int numRows, int k, long into) {
    for (int i = 0; i < PANEL; i++) {
      float low = Float.POSITIVE_INFINITY;
      float high = Float.NEGATIVE_INFINITY;
      for (int r = 0; r < numRows; r++) {
        low = Math.min(low, get(tile, r * PANEL + i));
        high = Math.max(high, get(tile, r * PANEL + i));
      }
      for (int halving = 0; halving < HALVINGS; halving++) {
        float middle = 0.5f * low + 0.5f * high;
        int reached = 0;
        for (int r = 0; r < numRows; r++) {
          reached += get(tile, r * PANEL + i) >= middle ? 1 : 0;
        }
        if (reached >= k) {
          low = middle;
        } else {
          high = middle;
        }
      }
      set(into, i, low);
    }
  }

  @Override
  public int above(long tile, int numRows, long threshold, int[] into) {
    int found = 0;
    for (int r = 0; r < numRows; r++) {
      for (int i = 0; i < PANEL; i++) {
        if (get(tile, r * PANEL + i) > get(threshold, i)) {
          into[found++] = r * PANEL + i;
        }
      }
    }
    return found;
  }

  @Override
  public float dot(long a, long b, int stride) {
    float sum = 0;
    for (int j = 0; j < stride; j++) {
      sum = Math.fma(get(a, j), get(b, j), sum);
    }
    return sum;
  }

  @Override
  public void dots(long[] rows, int count, long row, int stride, float[] into) {
    for (int i = 0; i < count; i++) {
      into[i] = dot(rows[i], row, stride);
    }
  }

  @Override
  public void codeDots(long[] codes, int count, long row, int stride, float[] into) {
    for (int i = 0; i < count; i++) {
      float sum = 0;
      for (int j = 0; j < stride; j++) {
        sum = Math.fma((float) ALL.get(JAVA_BYTE, codes[i] + j), get(row, j), sum);
      }
      into[i] = sum;
    }
  }

  @Override
  public void scaled(long row, float factor, int stride, long into) {
    for (int j = 0; j < stride; j++) {
      set(into, j, get(row, j) * factor);
    }
  }

  @Override
  public void addScaled(long row, float factor, int stride, long into) {
    for (int j = 0; j < stride; j++) {
      set(into, j, Math.fma(get(row, j), factor, get(into, j)));
    }
  }

  @Override
  public void widen(long row, int stride, long into) {
    int half = stride / 2;
    for (int k = 0; k < half; k++) {
      int word = ALL.get(JAVA_INT_UNALIGNED, row + 4L * k);
      set(into, k, Float.intBitsToFloat(word & UPPER));
      set(into, half + k, Float.intBitsToFloat(word << 16));
    }
  }

  @Override
  public void narrow(long row, int stride, int key, long into) {
    int half = stride / 2;
    for (int k = 0; k < half; k++) {
      int random = Rounding.bits(key, k);
      int first = Float.floatToRawIntBits(get(row, k)) + (random & LOWER);
      int second = Float.floatToRawIntBits(get(row, half + k)) + (random >>> 16);
      ALL.set(JAVA_INT_UNALIGNED, into + 4L * k, (first & UPPER) | (second >>> 16));
    }
  }

  @Override
  public void sum(long[] rows, int from, int to, int stride, long into) {
    for (int j = 0; j < stride; j++) {
      float sum = 0;
      for (int r = from; r < to; r++) {
        sum += get(rows[r], j);
      }
      set(into, j, sum);
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
    for (int j = 0; j < stride; j++) {
      float gradient = Math.fma(get(w, j), decay, get(g, j));
      float velocity = Math.fma(get(v, j), momentum, gradient);
      float move = nesterov ? Math.fma(velocity, momentum, gradient) : velocity;
      set(v, j, velocity);
      set(w, j, Math.fma(move, -rate, get(w, j)));
    }
  }

  @Override
  public void transform(long w, long v, int stride, float a, float b, float c, float d) {
    for (int j = 0; j < stride; j++) {
      float velocity = get(v, j);
      float weight = get(w, j);
      set(v, j, Math.fma(velocity, a, weight * b));
      set(w, j, Math.fma(velocity, c, weight * d));
    }
  }
}
