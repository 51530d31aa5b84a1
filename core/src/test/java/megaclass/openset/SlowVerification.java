// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;

/**
 * Verification by its definitions: every threshold tried on every pair. Pairs have weights, so that
 * it also says what a draw of classes gives.
 *
 * @param scores (pairs)
 * @param same (pairs)
 * @param weights (pairs)
 */
@SuppressWarnings("ArrayRecordComponent") // not compared
record SlowVerification(double[] scores, boolean[] same, double[] weights) {
  /** All pairs of a scene, each with the product of what its classes weigh. */
  static SlowVerification ofAll(Scene scene, double[] classWeights) {
    int size = scene.size();
    int numPairs = size * (size - 1) / 2;
    var slow =
        new SlowVerification(new double[numPairs], new boolean[numPairs], new double[numPairs]);
    int p = 0;
    for (int a = 0; a < size; a++) {
      for (int b = a + 1; b < size; b++) {
        slow.scores[p] = scene.score(a, b);
        slow.same[p] = scene.same(a, b);
        double weight = classWeights[scene.classIds()[a]];
        slow.weights[p++] = scene.same(a, b) ? weight : weight * classWeights[scene.classIds()[b]];
      }
    }
    return slow;
  }

  static SlowVerification ofAll(Scene scene) {
    double[] ones = new double[Arrays.stream(scene.classIds()).max().orElse(0) + 1];
    Arrays.fill(ones, 1);
    return ofAll(scene, ones);
  }

  /** A draw of as many classes as there are, with replacement. */
  static double[] draw(int numClasses, SplittableRandom random) {
    double[] times = new double[numClasses];
    for (int i = 0; i < numClasses; i++) {
      times[random.nextInt(numClasses)]++;
    }
    return times;
  }

  double accepted(boolean ofSame, double threshold) {
    double accepted = 0;
    double all = 0;
    for (int p = 0; p < scores.length; p++) {
      if (same[p] == ofSame) {
        accepted += scores[p] >= threshold ? weights[p] : 0;
        all += weights[p];
      }
    }
    return accepted / all;
  }

  private double[] thresholds() {
    return DoubleStream.of(scores).distinct().sorted().toArray();
  }

  double trueAcceptRateAt(double falseAcceptRate) {
    double best = 0;
    for (double threshold : thresholds()) {
      if (accepted(false, threshold) <= falseAcceptRate) {
        best = Math.max(best, accepted(true, threshold));
      }
    }
    return best;
  }

  double area() {
    double won = 0;
    double all = 0;
    for (int p = 0; p < scores.length; p++) {
      for (int q = 0; q < scores.length; q++) {
        if (same[p] && !same[q]) {
          double weight = weights[p] * weights[q];
          won += weight * (1 + Math.signum(scores[p] - scores[q])) / 2;
          all += weight;
        }
      }
    }
    return won / all;
  }

  /** Between the last threshold with fewer false accepts than false rejects and the next. */
  double equalErrorRate() {
    double[] ascending = thresholds();
    double far = 0;
    double frr = 1;
    for (int i = ascending.length - 1; i >= 0; i--) {
      double nextFar = accepted(false, ascending[i]);
      double nextFrr = 1 - accepted(true, ascending[i]);
      if (nextFar >= nextFrr) {
        double gapBefore = frr - far;
        double gapAfter = nextFar - nextFrr;
        return (far * gapAfter + nextFar * gapBefore) / (gapBefore + gapAfter);
      }
      far = nextFar;
      frr = nextFrr;
    }
    return Double.NaN;
  }
}
