// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How many same and different pairs have each score, where scores are rounded to multiples of
 * 2^-20: finer than float32 products of unit vectors are right, so that what is computed from the
 * counts is exact. 32 MiB; each worker counts for itself.
 */
final class ScoreCounts {
  /** Steps from score 0 to score 1. */
  private static final int ONE = 1 << 20;

  /** Scores there are, from -1 to 1. */
  static final int BINS = 2 * ONE + 1;

  /** Cells of a histogram to draw: a power of two, so that they have equal widths. */
  private static final int CELLS = 128;

  private final long[] same = new long[BINS];
  private final long[] different = new long[BINS];

  /** The bin of a score: higher scores have higher bins. */
  static int bin(double score) {
    // The cast takes the floor of all but scores below -1, which belong into the first bin anyway.
    return Math.max(0, Math.min(BINS - 1, (int) (score * ONE + (ONE + 0.5))));
  }

  /** The score of a bin. */
  static double score(int bin) {
    return (double) (bin - ONE) / ONE;
  }

  void add(PairScores.Chunk chunk) {
    for (int p = 0; p < chunk.size; p++) {
      int bin = bin(chunk.scores[p]);
      if (chunk.same[p]) {
        same[bin]++;
      } else {
        different[bin]++;
      }
    }
  }

  void addAll(ScoreCounts more) {
    for (int b = 0; b < BINS; b++) {
      same[b] += more.same[b];
      different[b] += more.different[b];
    }
  }

  long numSame() {
    return Arrays.stream(same).sum();
  }

  long numDifferent() {
    return Arrays.stream(different).sum();
  }

  /** The counts in cells of equal width, to draw. */
  Verification.Histogram histogram() {
    return new Verification.Histogram(cells(same), cells(different));
  }

  private static List<Long> cells(long[] counts) {
    var cells = new Long[CELLS];
    for (int c = 0; c < CELLS; c++) {
      int to = c + 1 == CELLS ? BINS : (c + 1) * (BINS / CELLS);
      cells[c] = Arrays.stream(counts, c * (BINS / CELLS), to).sum();
    }
    return List.of(cells);
  }

  /** Bins that any pair is in, the highest score first. */
  int[] usedBins() {
    return IntStream.rangeClosed(1, BINS)
        .map(b -> BINS - b)
        .filter(b -> same[b] + different[b] > 0)
        .toArray();
  }

  /** The curve over the scores of these bins. */
  Roc roc(int[] bins) {
    double[] thresholds = new double[bins.length];
    double[] sameAt = new double[bins.length];
    double[] differentAt = new double[bins.length];
    for (int i = 0; i < bins.length; i++) {
      thresholds[i] = score(bins[i]);
      sameAt[i] = same[bins[i]];
      differentAt[i] = different[bins[i]];
    }
    return new Roc(thresholds, sameAt, differentAt);
  }
}
