// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

/** Hears of each row of a matrix that has changed. */
@FunctionalInterface
public interface RowListener {
  /**
   * A row has new values. Called from several threads at once, for different rows.
   *
   * @param worker the thread that calls, in [0, threads)
   */
  void moved(int row, int worker);
}
