// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.Locale;

/** How the best classes of examples are looked for; its text says so in a line. */
public sealed interface ClassSearch {
  /**
   * All classes are scored.
   *
   * @param reason why no index is used
   */
  record Exact(String reason) implements ClassSearch {
    @Override
    public String toString() {
      return "all classes are scored: " + reason;
    }
  }

  /**
   * An index proposes classes, which are scored.
   *
   * @param numProbes lists that a sample looks into
   * @param numLists lists of the index
   * @param numCandidates classes that are scored for a sample
   * @param recall share of the {@code k} best classes of the samples that was found, in [0, 1]
   * @param k classes that are kept
   * @param samples embeddings that recall was measured with, against scores of all classes
   * @param buildSeconds wall-clock time of building the index
   * @param measureSeconds wall-clock time of measuring recall until it was enough
   */
  record Indexed(
      int numProbes,
      int numLists,
      int numCandidates,
      double recall,
      int k,
      int samples,
      double buildSeconds,
      double measureSeconds)
      implements ClassSearch {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "through an index: %d of %d lists, %s of the %d best of %d samples found, built in %.1f"
              + " s",
          numProbes,
          numLists,
          percent(recall),
          k,
          samples,
          buildSeconds);
    }
  }

  /** A share in percent, rounded down: what is not all must not read as 100. */
  static String percent(double share) {
    return String.format(Locale.ROOT, "%.2f %%", Math.floor(share * 1e4) / 100);
  }
}
