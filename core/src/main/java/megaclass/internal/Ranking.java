// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

/**
 * Scores and ids as one number each, whose ascending order is that of falling scores, equal ones by
 * rising id: a choice of the smallest numbers depends on no order in which they were found.
 */
public final class Ranking {
  private Ranking() {}

  /**
   * The number of a scored id.
   *
   * @param score not NaN; -0 counts as 0
   * @param id at least 0
   */
  public static long key(float score, int id) {
    int bits = Float.floatToIntBits(score + 0f);
    int descending = bits < 0 ? bits & Integer.MAX_VALUE : ~bits;
    return (long) descending << 32 | id;
  }

  /** The id of a number. */
  public static int id(long key) {
    return (int) key;
  }

  /** The score of a number. */
  public static float score(long key) {
    int descending = (int) (key >> 32);
    return Float.intBitsToFloat(descending < 0 ? ~descending : descending | Integer.MIN_VALUE);
  }

  /** Puts the {@code count} smallest of {@code keys[0, size)} first, in no order (quickselect). */
  public static void selectBest(long[] keys, int size, int count) {
    int from = 0;
    int to = size;
    while (to - from > 1 && count > from && count < to) {
      long pivot = median(keys[from], keys[(from + to) >>> 1], keys[to - 1]);
      int low = from;
      int high = to - 1;
      while (low <= high) {
        while (keys[low] < pivot) {
          low++;
        }
        while (keys[high] > pivot) {
          high--;
        }
        if (low <= high) {
          long swapped = keys[low];
          keys[low++] = keys[high];
          keys[high--] = swapped;
        }
      }
      if (count <= high + 1) {
        to = high + 1;
      } else if (count >= low) {
        from = low;
      } else {
        return; // between them all are equal to the pivot
      }
    }
  }

  private static long median(long a, long b, long c) {
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }
}
