// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import java.util.SplittableRandom;
import megaclass.internal.Hash;

/**
 * Rows of normal random numbers, each from its own generator.
 *
 * @param deviation standard deviation
 * @param columns of a row that are filled, from the first
 * @param seed of all rows
 */
record RandomRows(double deviation, int columns, long seed) {
  /** Rows that a task fills. */
  static final int ROWS_PER_TASK = 4096;

  /** Fills rows {@code [from, to)}, of which {@code into} holds those from {@code offset} on. */
  void fill(RowMatrix into, int from, int to, int offset) {
    for (int row = from; row < to; row++) {
      var random = new SplittableRandom(Hash.key(seed, row));
      for (int j = 0; j < columns; j++) {
        into.set(row - offset, j, (float) (deviation * random.nextGaussian()));
      }
    }
  }
}
