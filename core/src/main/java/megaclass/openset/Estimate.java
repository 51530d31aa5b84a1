// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.Arrays;

/**
 * A measured number with its 95 % confidence interval.
 *
 * @param value on the data as it is; NaN when the data cannot tell
 * @param low start of the interval; NaN when there is none
 * @param high its end; NaN when there is none
 */
public record Estimate(double value, double low, double high) {
  /** A number without an interval. */
  static Estimate of(double value) {
    return new Estimate(value, Double.NaN, Double.NaN);
  }

  /** A number with the middle 95 % of what replicates made of it; NaN among them are left out. */
  static Estimate of(double value, double[] replicates) {
    double[] sorted = Arrays.stream(replicates).filter(r -> !Double.isNaN(r)).sorted().toArray();
    if (sorted.length < 2 || Double.isNaN(value)) {
      return of(value);
    }
    return new Estimate(value, quantile(sorted, 0.025), quantile(sorted, 0.975));
  }

  private static double quantile(double[] sorted, double share) {
    double at = share * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }
}
