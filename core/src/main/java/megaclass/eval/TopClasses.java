// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.Arrays;

/**
 * The best scored classes of some samples, as classes come by in ascending order of their ids: an
 * equal score later on does not push an earlier class out, so ties go to the smaller id.
 */
final class TopClasses {
  /** The length that every JVM allows an array. */
  private static final int MAX_ENTRIES = Integer.MAX_VALUE - 8;

  private final int k;
  private final float[] scores;
  private final int[] classIds;
  private final int[] sizes;

  /**
   * Allocates.
   *
   * @throws IllegalArgumentException when one array cannot hold k classes of all samples
   */
  TopClasses(int samples, int k) {
    if ((long) samples * k > MAX_ENTRIES) {
      throw new IllegalArgumentException(
          "the best classes of %d samples at once can be kept up to k = %d, but k was %d"
              .formatted(samples, MAX_ENTRIES / samples, k));
    }
    this.k = k;
    scores = new float[samples * k];
    classIds = new int[samples * k];
    sizes = new int[samples];
  }

  void clear() {
    Arrays.fill(sizes, 0);
  }

  /** Takes in a score and returns the smallest score that is kept now, -infinity until k are. */
  float offer(int sample, int classId, float score) {
    int from = sample * k;
    int size = sizes[sample];
    if (size == k && !(score > scores[from + k - 1])) {
      return scores[from + k - 1];
    }
    int at = from + Math.min(size, k - 1);
    while (at > from && score > scores[at - 1]) {
      scores[at] = scores[at - 1];
      classIds[at] = classIds[at - 1];
      at--;
    }
    scores[at] = score;
    classIds[at] = classId;
    sizes[sample] = Math.min(k, size + 1);
    return sizes[sample] == k ? scores[from + k - 1] : Float.NEGATIVE_INFINITY;
  }

  int size(int sample) {
    return sizes[sample];
  }

  /** Class id of a rank, best first. */
  int classId(int sample, int rank) {
    return classIds[sample * k + rank];
  }

  /** Score of a rank, best first. */
  float score(int sample, int rank) {
    return scores[sample * k + rank];
  }
}
