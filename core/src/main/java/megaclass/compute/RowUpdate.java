// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

/**
 * What is done with the gradient of one row as soon as it is known, so that gradients of a whole
 * matrix are never held. Called from several threads at once, for different rows.
 */
@FunctionalInterface
public interface RowUpdate {
  /**
   * Takes in the gradient of a row.
   *
   * @param row row of the matrix
   * @param gradient address of (stride) floats, padded with zeros; valid during the call, may be
   *     overwritten
   * @param worker the thread that calls, in [0, threads)
   */
  void update(int row, long gradient, int worker);
}
