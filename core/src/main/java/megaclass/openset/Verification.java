// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * How well a threshold on the score tells pairs of one class from pairs of different ones.
 *
 * @param samePairs pairs of one class
 * @param differentPairs pairs of different classes, also called impostor pairs
 * @param equalErrorRate share of either kind that is judged wrong at the threshold where the shares
 *     are equal, between two thresholds on a line
 * @param area area under the ROC, in [0, 1]
 * @param operatingPoints at false accept rates 1e-1 to 1e-6
 * @param accuracy by ten folds; only of listed or drawn pairs, ten or more of either kind
 * @param curve points of the ROC from the strictest threshold on, few enough to draw
 * @param histogram how the scores lie
 * @param confused the different pairs with the highest scores, highest first
 * @param missed the same pairs with the lowest scores, lowest first
 */
public record Verification(
    long samePairs,
    long differentPairs,
    Estimate equalErrorRate,
    Estimate area,
    List<OperatingPoint> operatingPoints,
    Optional<Accuracy> accuracy,
    List<CurvePoint> curve,
    Histogram histogram,
    List<ScoredPair> confused,
    List<ScoredPair> missed) {

  /** How many of {@code confused} and {@code missed} are kept. */
  private static final int NOTABLE = 20;

  /** Cells of the curve that the bootstrap draws; the exact curve may have many more points. */
  private static final int CURVE_POINTS = 200;

  private static final int POINTS_A_DECADE = 16;
  private static final int POINTS_OF_TRUE_ACCEPTS = 40;

  private static final List<Double> FALSE_ACCEPT_RATES =
      List.of(1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6);

  /**
   * What one threshold gives.
   *
   * @param falseAcceptRate share of different pairs that may be accepted
   * @param trueAcceptRate share of same pairs accepted by the lowest threshold that keeps to it;
   *     NaN when there are fewer than 1 / falseAcceptRate different pairs, which cannot tell
   * @param threshold that score; NaN when none keeps to it
   */
  public record OperatingPoint(double falseAcceptRate, Estimate trueAcceptRate, double threshold) {}

  /**
   * Accuracy of ten folds, each judged with the best threshold of the other nine.
   *
   * @param mean over folds
   * @param deviation standard deviation over folds (divisor 10)
   * @param threshold mean of the thresholds
   */
  public record Accuracy(double mean, double deviation, double threshold) {}

  /** A point of the curve: what is accepted at scores from the threshold on. */
  public record CurvePoint(double threshold, double falseAcceptRate, double trueAcceptRate) {}

  /**
   * How many pairs have their score in cells of equal width from -1 to 1.
   *
   * @param same (cells)
   * @param different (cells)
   */
  public record Histogram(List<Long> same, List<Long> different) {}

  /** A pair of items and its score. */
  public record ScoredPair(int first, int second, double score) {}

  /**
   * Scores pairs and measures. All scores are counted, rounded to 2^-20; nothing is sampled.
   *
   * @throws IllegalArgumentException when there are no same or no different pairs
   */
  public static Verification of(EmbeddingSet set, Pairs pairs, Bootstrap bootstrap) {
    try (var scores = new PairScores(set, pairs)) {
      var pass = new FirstPass(set, scores);
      int[] bins = pass.counts.usedBins();
      var roc = pass.counts.roc(bins);
      long same = pass.counts.numSame();
      long different = pass.counts.numDifferent();
      if (same == 0 || different == 0) {
        throw new IllegalArgumentException(
            "verification takes pairs of one class and of different ones, but got "
                + same
                + " and "
                + different);
      }
      int[] points = curvePoints(roc, different);
      var replicates = new double[2 + FALSE_ACCEPT_RATES.size()][0];
      if (bootstrap.replicates() > 0) {
        int[] lastBins = Arrays.stream(points).map(p -> bins[p]).toArray();
        replicates =
            grouped(set, scores, new GroupedPairs(set, bootstrap, lastBins))
                .replicates(metrics(points.length == bins.length), set.engine());
      }
      return new Verification(
          same,
          different,
          Estimate.of(roc.equalErrorRate(), replicates[0]),
          Estimate.of(roc.area(), replicates[1]),
          operatingPoints(roc, different, replicates),
          accuracy(set, pairs),
          Arrays.stream(points).mapToObj(p -> curvePoint(roc, p)).toList(),
          pass.counts.histogram(),
          pass.confused.list(),
          pass.missed.list());
    }
  }

  /**
   * What is computed of each draw: error rate, area, and the true accept rates in order.
   *
   * @param everyScore whether a cell holds one score; else the points between cells lie on a line
   */
  private static List<ToDoubleFunction<Roc>> metrics(boolean everyScore) {
    var metrics = new ArrayList<ToDoubleFunction<Roc>>(List.of(Roc::equalErrorRate, Roc::area));
    for (double rate : FALSE_ACCEPT_RATES) {
      metrics.add(
          everyScore ? roc -> roc.trueAcceptRateAt(rate) : roc -> roc.trueAcceptRateBetween(rate));
    }
    return metrics;
  }

  /** What goes through all pairs once. */
  private static final class FirstPass {
    final ScoreCounts counts;
    final NotablePairs confused;
    final NotablePairs missed;

    FirstPass(EmbeddingSet set, PairScores scores) {
      int threads = set.engine().workers().threads();
      var countsOf = new ScoreCounts[threads];
      var confusedOf = new NotablePairs[threads];
      var missedOf = new NotablePairs[threads];
      Arrays.setAll(countsOf, _ -> new ScoreCounts());
      Arrays.setAll(confusedOf, _ -> new NotablePairs(false, NOTABLE));
      Arrays.setAll(missedOf, _ -> new NotablePairs(true, NOTABLE));
      scores.forEach(
          (worker, chunk) -> {
            countsOf[worker].add(chunk);
            confusedOf[worker].add(chunk);
            missedOf[worker].add(chunk);
          });
      counts = countsOf[0];
      confused = confusedOf[0];
      missed = missedOf[0];
      for (int t = 1; t < threads; t++) {
        counts.addAll(countsOf[t]);
        confused.addAll(confusedOf[t]);
        missed.addAll(missedOf[t]);
      }
    }
  }

  private static GroupedPairs grouped(EmbeddingSet set, PairScores scores, GroupedPairs empty) {
    var groupedOf = new GroupedPairs[set.engine().workers().threads()];
    Arrays.setAll(groupedOf, t -> t == 0 ? empty : empty.another());
    scores.forEach((worker, chunk) -> groupedOf[worker].add(chunk, set));
    for (int t = 1; t < groupedOf.length; t++) {
      empty.addAll(groupedOf[t]);
    }
    return empty;
  }

  /** Points along both axes of the curve, the last one among them, ascending. */
  private static int[] curvePoints(Roc roc, long numDifferent) {
    if (roc.size() <= CURVE_POINTS) {
      return IntStream.range(0, roc.size()).toArray();
    }
    var points = new TreeSet<Integer>();
    points.add(roc.size() - 1);
    int decades = (int) Math.ceil(Math.log10((double) numDifferent));
    for (int i = 0; i <= decades * POINTS_A_DECADE; i++) {
      points.add(roc.pointAt(Math.pow(10, -(double) i / POINTS_A_DECADE)));
    }
    int at = 0;
    for (int i = 1; i <= POINTS_OF_TRUE_ACCEPTS; i++) {
      while (roc.trueAcceptRate(at) < (double) i / POINTS_OF_TRUE_ACCEPTS) {
        at++;
      }
      points.add(at);
    }
    points.remove(-1);
    return points.stream().mapToInt(Integer::intValue).toArray();
  }

  private static CurvePoint curvePoint(Roc roc, int point) {
    return new CurvePoint(
        roc.threshold(point), roc.falseAcceptRate(point), roc.trueAcceptRate(point));
  }

  private static List<OperatingPoint> operatingPoints(
      Roc roc, long numDifferent, double[][] replicates) {
    var points = new ArrayList<OperatingPoint>();
    for (int i = 0; i < FALSE_ACCEPT_RATES.size(); i++) {
      double rate = FALSE_ACCEPT_RATES.get(i);
      // In whole pairs: 1e-1 times 10 pairs must count as one.
      boolean tells = numDifferent >= Math.round(1 / rate);
      double value = tells ? roc.trueAcceptRateAt(rate) : Double.NaN;
      int point = roc.pointAt(rate);
      points.add(
          new OperatingPoint(
              rate,
              Estimate.of(value, replicates[2 + i]),
              point < 0 || !tells ? Double.NaN : roc.threshold(point)));
    }
    return List.copyOf(points);
  }

  private static Optional<Accuracy> accuracy(EmbeddingSet set, Pairs pairs) {
    return pairs instanceof Pairs.Listed listed && Folds.fit(listed)
        ? Optional.of(new Folds(set, listed).accuracy())
        : Optional.empty();
  }
}
