// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import megaclass.compute.NativeMemory;
import megaclass.internal.Permutation;

/**
 * The cells of a tree that are still too large for a leaf. All of them are split at once, a level
 * of the tree in one sweep over the points, see {@link ForestBuilder}.
 *
 * <p>For each point it keeps the number of its open cell, to which the sweep adds the point's side.
 */
final class OpenCells {
  /** Stands for all cells that are not open. */
  static final int CLOSED = Integer.MAX_VALUE;

  /** Is added to the number of its cell for a point on the left. */
  static final int ON_LEFT = Integer.MIN_VALUE;

  private static final int SIDE_BIT = 31;

  private final Points points;
  private final TreeDraft tree;
  private final int leafSize;
  private final MemorySegment cells;
  private final List<TreeDraft.Range> leaves = new ArrayList<>();
  private List<TreeDraft.Range> open = new ArrayList<>();
  private boolean[] random = new boolean[0];
  private float[] thresholds = new float[0];

  /** The node of open cell 0; the others follow. */
  private int firstNode;

  /**
   * Starts with all points in one cell.
   *
   * @param cells from {@link #allocate}
   */
  OpenCells(Points points, TreeDraft tree, long key, int leafSize, MemorySegment cells) {
    this.points = points;
    this.tree = tree;
    this.leafSize = leafSize;
    this.cells = cells;
    add(tree.root(key));
  }

  /** Memory for the cell of each point. */
  static MemorySegment allocate(int numPoints, Arena arena) {
    return NativeMemory.allocate((long) Integer.BYTES * numPoints, arena);
  }

  /** Whether there are any. */
  boolean isEmpty() {
    return open.isEmpty();
  }

  // ---- drawing -------------------------------------------------------------------------------

  /** Draws a hyperplane for each open cell. */
  void draw(Splitter splitter) {
    firstNode = tree.numNodes();
    random = new boolean[open.size()];
    thresholds = new float[open.size()];
    for (int i = 0; i < random.length; i++) {
      var range = open.get(i);
      random[i] = !splitter.draw(new OpenCell(range), range.key());
      thresholds[i] = splitter.threshold();
      tree.addNode(range, splitter);
    }
  }

  private final class OpenCell implements Cell {
    private final TreeDraft.Range range;

    OpenCell(TreeDraft.Range range) {
      this.range = range;
    }

    @Override
    public int size() {
      return range.size();
    }

    @Override
    public long address(int position, long scratch) {
      return points.address(tree.classId(range.from() + position), scratch);
    }
  }

  // ---- the sweep -----------------------------------------------------------------------------

  /** Address of the normal of open cell 0; those of the others follow, a node further each. */
  long firstNormal() {
    return open.isEmpty() ? 0 : tree.normal(firstNode);
  }

  /** Threshold of each open cell: a point whose projection is above it is {@link #ON_LEFT}. */
  float[] thresholds() {
    return thresholds;
  }

  /** Reads the cells of neighbouring points, from {@code point} on. */
  void read(int point, int count, int[] into, int at) {
    MemorySegment.copy(cells, JAVA_INT, (long) Integer.BYTES * point, into, at, count);
  }

  /** Writes them back, {@link #ON_LEFT} added where it holds. */
  void write(int[] from, int at, int count, int point) {
    MemorySegment.copy(from, at, cells, JAVA_INT, (long) Integer.BYTES * point, count);
  }

  // ---- splitting -----------------------------------------------------------------------------

  /**
   * Splits all open cells by the sides of their points.
   *
   * @param right room for all points
   */
  void split(int[] right) {
    var before = open;
    open = new ArrayList<>();
    for (int i = 0; i < before.size(); i++) {
      var range = before.get(i);
      int left = random[i] ? 0 : partition(range, right);
      if (left == 0 || left == range.size()) { // no hyperplane, or its points moved meanwhile
        chooseSidesRandomly(range);
        left = partition(range, right);
      }
      add(range.left(firstNode + i, left));
      add(range.right(firstNode + i, left));
    }
  }

  /** Half of the points, whichever, go left. */
  private void chooseSidesRandomly(TreeDraft.Range range) {
    var order = new Permutation(range.size(), range.randomKey());
    for (int i = 0; i < range.size(); i++) {
      int point = tree.classId(range.from() + i);
      int cell = cells.getAtIndex(JAVA_INT, point) & ~ON_LEFT;
      int side = order.at(i) < range.size() / 2 ? ON_LEFT : 0;
      cells.setAtIndex(JAVA_INT, point, cell | side);
    }
  }

  /** Writes each point to both sides and keeps it on one: no branch guesses wrong half the time. */
  private int partition(TreeDraft.Range range, int[] right) {
    int numLeft = 0;
    for (int i = 0; i < range.size(); i++) {
      int point = tree.classId(range.from() + i);
      tree.setClassId(range.from() + numLeft, point);
      right[i - numLeft] = point;
      numLeft += cells.getAtIndex(JAVA_INT, point) >>> SIDE_BIT;
    }
    tree.setClassIds(range.from() + numLeft, right, range.size() - numLeft);
    return numLeft;
  }

  private void add(TreeDraft.Range range) {
    boolean isLeaf = range.size() <= leafSize;
    int cell = isLeaf ? CLOSED : open.size();
    for (int position = range.from(); position < range.to(); position++) {
      cells.setAtIndex(JAVA_INT, tree.classId(position), cell);
    }
    (isLeaf ? leaves : open).add(range);
  }

  /** Adds the leaves to the tree, from left to right, when no cell is open any more. */
  void addLeaves() {
    leaves.sort(Comparator.comparingInt(TreeDraft.Range::from));
    leaves.forEach(tree::addLeaf);
  }
}
