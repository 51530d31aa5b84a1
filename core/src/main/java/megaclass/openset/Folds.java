// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Accuracy by the LFW protocol: in ten folds, the threshold that is best on nine decides on the
 * tenth. Among equally good thresholds the highest is taken.
 */
final class Folds {
  private static final int FOLDS = 10;

  private final Pairs.Listed pairs;
  private final double[] scores;
  private final int[] foldOf;

  Folds(EmbeddingSet set, Pairs.Listed pairs) {
    this.pairs = pairs;
    scores = new double[pairs.size()];
    foldOf = new int[pairs.size()];
    long numSame = IntStream.range(0, pairs.size()).filter(p -> pairs.pair(p).same()).count();
    long[] seen = new long[2];
    for (int p = 0; p < pairs.size(); p++) {
      var pair = pairs.pair(p);
      // As in the counts, so that accuracy and curve are about the same scores.
      scores[p] = ScoreCounts.score(ScoreCounts.bin(set.score(pair.first(), pair.second())));
      long all = pair.same() ? numSame : pairs.size() - numSame;
      foldOf[p] = (int) (seen[pair.same() ? 1 : 0]++ * FOLDS / all);
    }
  }

  /** The accuracy of ten folds; nothing of fewer than ten same or ten different pairs. */
  Verification.Accuracy accuracy() {
    double[] accuracies = new double[FOLDS];
    double[] thresholds = new double[FOLDS];
    for (int fold = 0; fold < FOLDS; fold++) {
      thresholds[fold] = bestThreshold(fold);
      int right = 0;
      int all = 0;
      for (int p = 0; p < scores.length; p++) {
        if (foldOf[p] == fold) {
          right += (scores[p] >= thresholds[fold]) == pairs.pair(p).same() ? 1 : 0;
          all++;
        }
      }
      accuracies[fold] = (double) right / all;
    }
    double mean = Arrays.stream(accuracies).average().orElse(Double.NaN);
    double variance = Arrays.stream(accuracies).map(a -> (a - mean) * (a - mean)).sum() / FOLDS;
    double threshold = Arrays.stream(thresholds).average().orElse(Double.NaN);
    return new Verification.Accuracy(mean, Math.sqrt(variance), threshold);
  }

  /** The score that, as threshold, is right about the most pairs outside a fold. */
  private double bestThreshold(int fold) {
    int[] others =
        IntStream.range(0, scores.length)
            .filter(p -> foldOf[p] != fold)
            .boxed()
            .sorted((a, b) -> Double.compare(scores[b], scores[a]))
            .mapToInt(Integer::intValue)
            .toArray();
    double best = Math.nextUp(1.0); // accepts nothing
    int gain = 0;
    int bestGain = 0;
    for (int i = 0; i < others.length; i++) {
      gain += pairs.pair(others[i]).same() ? 1 : -1;
      boolean lastOfScore = i + 1 == others.length || scores[others[i + 1]] < scores[others[i]];
      if (lastOfScore && gain > bestGain) {
        bestGain = gain;
        best = scores[others[i]];
      }
    }
    return best;
  }

  /** Whether there are pairs enough for ten folds. */
  static boolean fit(Pairs.Listed pairs) {
    long same = IntStream.range(0, pairs.size()).filter(p -> pairs.pair(p).same()).count();
    return same >= FOLDS && pairs.size() - same >= FOLDS;
  }
}
