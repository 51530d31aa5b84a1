// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

/** The points of one cell of a tree, by their position in it. */
interface Cell {
  int size();

  /** Where a point lies, (stride); it may be {@code scratch}, which is then overwritten. */
  long address(int position, long scratch);
}
