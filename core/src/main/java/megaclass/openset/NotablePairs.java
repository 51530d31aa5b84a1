// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;

/** The different pairs with the highest scores, or the same ones with the lowest, as they come. */
final class NotablePairs {
  private static final Comparator<Verification.ScoredPair> BY_ITEMS =
      Comparator.comparingInt(Verification.ScoredPair::first)
          .thenComparingInt(Verification.ScoredPair::second);

  private final boolean same;
  private final int most;
  private final TreeSet<Verification.ScoredPair> kept;

  NotablePairs(boolean same, int most) {
    this.same = same;
    this.most = most;
    var byScore = Comparator.comparingDouble(Verification.ScoredPair::score);
    kept = new TreeSet<>((same ? byScore : byScore.reversed()).thenComparing(BY_ITEMS));
  }

  void add(PairScores.Chunk chunk) {
    double bound = bound();
    for (int p = 0; p < chunk.size; p++) {
      double score = chunk.scores[p];
      if (chunk.same[p] == same && (same ? score <= bound : score >= bound)) {
        add(new Verification.ScoredPair(chunk.first[p], chunk.second[p], score));
        bound = bound();
      }
    }
  }

  private double bound() {
    if (kept.size() == most) {
      return kept.last().score();
    }
    return same ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
  }

  private void add(Verification.ScoredPair pair) {
    kept.add(pair);
    if (kept.size() > most) {
      kept.removeLast();
    }
  }

  void addAll(NotablePairs more) {
    more.kept.forEach(this::add);
  }

  /** The most notable first; among equal scores the pair with the earlier items. */
  List<Verification.ScoredPair> list() {
    return List.copyOf(kept);
  }
}
