// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.Arrays;

/**
 * Classes in ten parts of equal size by the number of their training examples, the rarest first;
 * among equals the smaller class id comes first.
 */
final class FrequencyDeciles {
  private static final int PARTS = 10;

  private final byte[] decileOf;
  private final long[] minCounts = new long[PARTS];
  private final long[] maxCounts = new long[PARTS];

  FrequencyDeciles(long[] counts) {
    int numClasses = counts.length;
    long[] ranked = new long[numClasses];
    for (int c = 0; c < numClasses; c++) {
      ranked[c] = Math.min(counts[c], Integer.MAX_VALUE) << 32 | c;
    }
    Arrays.sort(ranked);
    decileOf = new byte[numClasses];
    for (int rank = numClasses - 1; rank >= 0; rank--) {
      int decile = (int) ((long) rank * PARTS / numClasses);
      long count = ranked[rank] >>> 32;
      decileOf[(int) ranked[rank]] = (byte) decile;
      minCounts[decile] = count;
      maxCounts[decile] = Math.max(maxCounts[decile], count);
    }
  }

  /** The part of a class, in [0, 10). */
  int of(int classId) {
    return decileOf[classId];
  }

  /** Training examples of the rarest class of a part. */
  long minCount(int decile) {
    return minCounts[decile];
  }

  /** Training examples of the most frequent class of a part. */
  long maxCount(int decile) {
    return maxCounts[decile];
  }
}
