// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.Arrays;

/** Median and range of some measurements; of an even number the mean of the middle two. */
record Spread(double median, double min, double max) {
  static Spread of(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    double median = sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    return new Spread(median, sorted[0], sorted[sorted.length - 1]);
  }
}
