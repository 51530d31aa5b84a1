// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

/**
 * The receiver operating characteristic: what is accepted when the threshold goes down, score by
 * score. A pair is accepted when its score is at least the threshold. Immutable by contract.
 */
final class Roc {
  private final double[] thresholds;
  private final double[] trueAccepts;
  private final double[] falseAccepts;

  /**
   * A curve.
   *
   * @param thresholds descending scores, (points)
   * @param same weight of the same pairs of each score, (points)
   * @param different weight of the different pairs of each score, (points)
   */
  Roc(double[] thresholds, double[] same, double[] different) {
    this.thresholds = thresholds;
    trueAccepts = shares(same);
    falseAccepts = shares(different);
  }

  private static double[] shares(double[] weights) {
    double[] sums = new double[weights.length];
    double sum = 0;
    for (int i = 0; i < weights.length; i++) {
      sum += weights[i];
      sums[i] = sum;
    }
    for (int i = 0; i < sums.length; i++) {
      sums[i] /= sum; // NaN when there are none
    }
    return sums;
  }

  int size() {
    return thresholds.length;
  }

  double threshold(int point) {
    return thresholds[point];
  }

  double trueAcceptRate(int point) {
    return trueAccepts[point];
  }

  double falseAcceptRate(int point) {
    return falseAccepts[point];
  }

  /** The point with the lowest threshold whose false accept rate is at most so much; -1: none. */
  int pointAt(double falseAcceptRate) {
    int low = -1;
    int high = size();
    while (high - low > 1) {
      int middle = (low + high) >>> 1;
      if (falseAccepts[middle] <= falseAcceptRate) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** The true accept rate at {@link #pointAt}. */
  double trueAcceptRateAt(double falseAcceptRate) {
    int point = pointAt(falseAcceptRate);
    return point < 0 ? 0 : trueAccepts[point];
  }

  /** As {@link #trueAcceptRateAt}, on the line between two points: for curves of few points. */
  double trueAcceptRateBetween(double falseAcceptRate) {
    int below = pointAt(falseAcceptRate);
    if (below == size() - 1) {
      return trueAccepts[below];
    }
    double fromFar = below < 0 ? 0 : falseAccepts[below];
    double fromTar = below < 0 ? 0 : trueAccepts[below];
    double along = (falseAcceptRate - fromFar) / (falseAccepts[below + 1] - fromFar);
    return fromTar + along * (trueAccepts[below + 1] - fromTar);
  }

  /** Where as many different pairs are accepted as same ones rejected, on lines between points. */
  double equalErrorRate() {
    double far = 0;
    double frr = 1;
    for (int i = 0; i < size(); i++) {
      double nextFar = falseAccepts[i];
      double nextFrr = 1 - trueAccepts[i];
      if (nextFar >= nextFrr) {
        double along = (frr - far) / (nextFar - far + frr - nextFrr);
        return far + along * (nextFar - far);
      }
      far = nextFar;
      frr = nextFrr;
    }
    return Double.NaN; // a rate is NaN: there are no same, or no different pairs
  }

  /** Area under the curve: how often a same pair beats a different one; equal scores count half. */
  double area() {
    double area = 0;
    double far = 0;
    double tar = 0;
    for (int i = 0; i < size(); i++) {
      area += (falseAccepts[i] - far) * (trueAccepts[i] + tar) / 2;
      far = falseAccepts[i];
      tar = trueAccepts[i];
    }
    return area;
  }
}
