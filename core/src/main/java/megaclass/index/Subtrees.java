// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.lang.foreign.Arena;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.internal.Permutation;

/**
 * Grows cells small enough to be gathered down to the leaves: their points are copied once, side by
 * side into a cache, and split there to the end. For one thread.
 */
final class Subtrees implements Cell {
  private final Points points;
  private final int leafSize;
  private final ComputeBackend backend;
  private final Splitter splitter;
  private final long gathered;
  private final int[] ids;

  /** The gathered points in the order of the cells; the cell at hand is a range of them. */
  private final int[] slots;

  // Of the points of the cell at hand.
  private final long[] addresses;
  private final float[] projections;
  private final int[] isLeft;
  private final int[] right;
  private int from;
  private int size;

  /** For cells of up to {@code capacity} points. */
  Subtrees(Points points, int leafSize, int capacity, ComputeBackend backend, Arena arena) {
    this.points = points;
    this.leafSize = leafSize;
    this.backend = backend;
    splitter = new Splitter(points.stride(), backend, arena);
    gathered = NativeMemory.allocate(4L * points.stride() * capacity, arena).address();
    ids = new int[capacity];
    slots = new int[capacity];
    addresses = new long[capacity];
    projections = new float[capacity];
    isLeft = new int[capacity];
    right = new int[capacity];
  }

  /** Splits a cell of a tree until all is in leaves. */
  void grow(TreeDraft tree, TreeDraft.Range cell) {
    if (cell.size() <= leafSize) {
      tree.addLeaf(cell);
      return;
    }
    for (int i = 0; i < cell.size(); i++) {
      slots[i] = i;
      ids[i] = tree.classId(cell.from() + i);
      points.copy(ids[i], address(i));
    }
    split(tree, cell, cell.from());
    for (int i = 0; i < cell.size(); i++) {
      tree.setClassId(cell.from() + i, ids[slots[i]]);
    }
  }

  /** As deep as the tree, which the splitter's guards keep to some tens of levels. */
  private void split(TreeDraft tree, TreeDraft.Range range, int origin) {
    if (range.size() <= leafSize) {
      tree.addLeaf(range);
      return;
    }
    from = range.from() - origin;
    size = range.size();
    boolean found = splitter.draw(this, range.key());
    int node = tree.addNode(range, splitter);
    if (found) {
      chooseSides();
    } else {
      chooseSidesRandomly(range.randomKey());
    }
    int left = partition();
    split(tree, range.left(node, left), origin);
    split(tree, range.right(node, left), origin);
  }

  private void chooseSides() {
    for (int i = 0; i < size; i++) {
      addresses[i] = address(slots[from + i]);
    }
    backend.dots(addresses, size, splitter.normal(), points.stride(), projections);
    for (int i = 0; i < size; i++) {
      isLeft[i] = projections[i] > splitter.threshold() ? 1 : 0;
    }
  }

  /** Half of the points, whichever, go left. */
  private void chooseSidesRandomly(long key) {
    var order = new Permutation(size, key);
    for (int i = 0; i < size; i++) {
      isLeft[i] = order.at(i) < size / 2 ? 1 : 0;
    }
  }

  /** Moves the points on the left to the front; returns how many there are. */
  private int partition() {
    int numLeft = 0;
    for (int i = 0; i < size; i++) {
      int slot = slots[from + i];
      // Written to both sides and kept on one: a branch would be guessed wrong half the time.
      slots[from + numLeft] = slot;
      right[i - numLeft] = slot;
      numLeft += isLeft[i];
    }
    System.arraycopy(right, 0, slots, from + numLeft, size - numLeft);
    return numLeft;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public long address(int position, long scratch) {
    return address(slots[from + position]);
  }

  private long address(int slot) {
    return gathered + 4L * points.stride() * slot;
  }
}
