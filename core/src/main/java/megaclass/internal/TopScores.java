// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.util.Arrays;

/**
 * The best scored ids of some samples, classes or lists, which come by in ascending order: an equal
 * score later on does not push an earlier id out, so ties go to the smaller one. Threads may work
 * on different samples at once.
 */
public final class TopScores {
  /** The length that every JVM allows an array. */
  private static final int MAX_ENTRIES = Integer.MAX_VALUE - 8;

  private final int k;
  private final float[] scores;
  private final int[] ids;
  private final int[] sizes;

  /**
   * Allocates.
   *
   * @throws IllegalArgumentException when one array cannot hold k ids of all samples
   */
  public TopScores(int samples, int k) {
    if ((long) samples * k > MAX_ENTRIES) {
      throw new IllegalArgumentException(
          "the best scores of %d samples at once can be kept up to k = %d, but k was %d"
              .formatted(samples, MAX_ENTRIES / samples, k));
    }
    this.k = k;
    scores = new float[samples * k];
    ids = new int[samples * k];
    sizes = new int[samples];
  }

  /** For how many samples. */
  public int samples() {
    return sizes.length;
  }

  /** How many ids are kept of a sample. */
  public int k() {
    return k;
  }

  /** Forgets all. */
  public void clear() {
    Arrays.fill(sizes, 0);
  }

  /** Takes in a score and returns the smallest score that is kept now, -infinity until k are. */
  public float offer(int sample, int id, float score) {
    int from = sample * k;
    int size = sizes[sample];
    if (size == k && !(score > scores[from + k - 1])) {
      return scores[from + k - 1];
    }
    int at = from + Math.min(size, k - 1);
    while (at > from && score > scores[at - 1]) {
      scores[at] = scores[at - 1];
      ids[at] = ids[at - 1];
      at--;
    }
    scores[at] = score;
    ids[at] = id;
    sizes[sample] = Math.min(k, size + 1);
    return sizes[sample] == k ? scores[from + k - 1] : Float.NEGATIVE_INFINITY;
  }

  /** How many are kept of a sample: k, or all that came. */
  public int size(int sample) {
    return sizes[sample];
  }

  /** Id of a rank, best first. */
  public int id(int sample, int rank) {
    return ids[sample * k + rank];
  }

  /** Score of a rank, best first. */
  public float score(int sample, int rank) {
    return scores[sample * k + rank];
  }
}
