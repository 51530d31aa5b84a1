// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one fresh JVM measured of the kernels at one size.
 *
 * @param dim floats of a row
 * @param threads that ran each kernel at the same time, each on its own memory
 * @param backend that computed, as "vector 512 bit"
 * @param rates of the peaks first, then of the kernels
 */
record KernelRun(int dim, int threads, String backend, List<Rate> rates) {
  /**
   * Speed of one kernel over all threads, median of several rounds.
   *
   * @param kernel its name
   * @param unit of {@code rate}: "GF/s", "GB/s", "G elements/s", "M rows/s", "M loads/s", "G
   *     words/s" or "G codes/s"
   * @param share of the peak that was measured in the same rounds, or 0 for a peak itself and where
   *     there is none
   * @param peak name of that peak, or "" when there is none; null in results from before 2026-11-22
   */
  record Rate(String kernel, String unit, double rate, double share, @Nullable String peak) {}
}
