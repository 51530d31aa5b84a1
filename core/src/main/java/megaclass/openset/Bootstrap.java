// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.Arrays;
import megaclass.compute.Engine;
import megaclass.internal.Check;
import megaclass.internal.Hash;

/**
 * How confidence intervals are made: classes (identities) are drawn with replacement, again and
 * again, and what is measured is computed of each draw. The class is the unit, since pairs and
 * examples of one class are not independent: drawing them one by one makes intervals too narrow.
 *
 * @param replicates how many draws; 0 for no intervals
 * @param seed of the draws
 */
public record Bootstrap(int replicates, long seed) {
  /** Checks the number of draws. */
  public Bootstrap {
    Check.inRange("replicates", replicates, 0, 1_000_000);
  }

  /** No intervals. */
  public static Bootstrap none() {
    return new Bootstrap(0, 0);
  }

  /**
   * How often each unit is drawn in a replicate, (units).
   *
   * @param into (units), written
   */
  void draw(int replicate, int[] into) {
    Arrays.fill(into, 0);
    long key = Hash.key(seed, replicate);
    for (int i = 0; i < into.length; i++) {
      into[Hash.below(into.length, Hash.key(key, i))]++;
    }
  }

  /**
   * Means of several values over samples, with intervals over the classes of the samples.
   *
   * @param classIds class of each sample, (samples)
   * @param values (metrics, samples)
   */
  Estimate[] means(int[] classIds, double[][] values, Engine engine) {
    int[] units = Arrays.stream(classIds).distinct().sorted().toArray();
    double[] counts = new double[units.length];
    double[][] sums = new double[values.length][units.length];
    for (int i = 0; i < classIds.length; i++) {
      int unit = Arrays.binarySearch(units, classIds[i]);
      counts[unit]++;
      for (int m = 0; m < values.length; m++) {
        sums[m][unit] += values[m][i];
      }
    }
    double[][] found = new double[values.length][units.length < 2 ? 0 : replicates];
    int[][] drawn = new int[engine.workers().threads()][units.length];
    engine
        .workers()
        .run(
            found.length == 0 ? 0 : found[0].length,
            (replicate, worker) -> {
              draw(replicate, drawn[worker]);
              double total = product(drawn[worker], counts);
              for (int m = 0; m < sums.length; m++) {
                found[m][replicate] = product(drawn[worker], sums[m]) / total;
              }
            });
    var estimates = new Estimate[values.length];
    Arrays.setAll(
        estimates,
        m -> Estimate.of(Arrays.stream(sums[m]).sum() / Arrays.stream(counts).sum(), found[m]));
    return estimates;
  }

  private static double product(int[] times, double[] values) {
    double sum = 0;
    for (int i = 0; i < times.length; i++) {
      sum += times[i] * values[i];
    }
    return sum;
  }
}
