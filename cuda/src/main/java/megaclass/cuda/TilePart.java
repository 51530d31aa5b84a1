// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import megaclass.cuda.DeviceChoice.Chosen;
import megaclass.cuda.SoftmaxKernels.Samples;

/**
 * What goes through the device at once: samples that share active classes, and those of their
 * classes that are in a tile of the active classes of the batch.
 *
 * @param samples the batch, or a group of it
 * @param chosen their active classes
 * @param tile number of the tile
 * @param first position of the first class among {@code chosen}
 * @param count how many, at least 1
 */
record TilePart(Samples samples, Chosen chosen, int tile, int first, int count) {
  RowChoice rows() {
    return chosen.rows(first, count);
  }

  /** Whether the last of the samples' classes is among these. */
  boolean endsClasses() {
    return first + count == chosen.numActive();
  }
}
