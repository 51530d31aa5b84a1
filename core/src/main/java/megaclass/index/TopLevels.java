// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static java.lang.foreign.ValueLayout.JAVA_CHAR;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import megaclass.compute.NativeMemory;
import megaclass.internal.Permutation;

/**
 * The top of one tree, whose cells are too large to be gathered. All of them are split at once, a
 * level of the tree in one sweep over the points (see {@link ForestBuilder}), so that a point that
 * was read serves all trees.
 */
final class TopLevels {
  /** How many cells may be open at once: their number and a side fit 16 bits. */
  static final int MAX_CELLS = 0x7FFF;

  /** Stands for all cells that are not open. */
  static final char CLOSED = 0xFFFF;
  private static final int SIDE_BIT = 15;

  /** Is added to the number of its cell for a point on the left. */
  static final char ON_LEFT = 1 << SIDE_BIT;

  private final Points points;
  private final TreeDraft tree;
  private final int gatherSize;

  /** For each point the number of its open cell, and its side in it; or CLOSED. */
  private final MemorySegment cells;

  private List<TreeDraft.Range> open = new ArrayList<>();
  private final List<TreeDraft.Range> closed = new ArrayList<>();

  /** The node of open cell 0; the others follow. */
  private int firstNode;

  private boolean[] random = new boolean[0];
  private float[] thresholds = new float[0];

  /**
   * Starts with all points in one cell.
   *
   * @param gatherSize a cell of up to so many points is closed: it is left to {@link Subtrees}
   * @param cells (numClasses) chars for its use
   */
  TopLevels(Points points, TreeDraft tree, long key, int gatherSize, MemorySegment cells) {
    this.points = points;
    this.tree = tree;
    this.gatherSize = gatherSize;
    this.cells = cells;
    add(tree.root(key), open);
  }

  static MemorySegment allocateCells(int numClasses, Arena arena) {
    return NativeMemory.allocate(2L * numClasses, arena);
  }

  /** Whether cells are open. */
  boolean isOpen() {
    return !open.isEmpty();
  }

  /** Cells that are left to be gathered, in the order of their ranges. */
  List<TreeDraft.Range> closedCells() {
    closed.sort(Comparator.comparingInt(TreeDraft.Range::from));
    return closed;
  }

  /** Draws a hyperplane for each open cell. */
  void draw(Splitter splitter) {
    firstNode = tree.numNodes();
    random = new boolean[open.size()];
    thresholds = new float[open.size()];
    for (int i = 0; i < open.size(); i++) {
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

  /** Reads the cells of neighbouring points, from {@code point} on. */
  void readCells(int point, int count, char[] into, int at) {
    MemorySegment.copy(cells, JAVA_CHAR, 2L * point, into, at, count);
  }

  /** Writes them back, {@link #ON_LEFT} added where it holds. */
  void writeCells(char[] from, int at, int count, int point) {
    MemorySegment.copy(from, at, cells, JAVA_CHAR, 2L * point, count);
  }

  /** Address of the normal of open cell 0; those of the others follow, a node further each. */
  long firstNormal() {
    return open.isEmpty() ? 0 : tree.normal(firstNode);
  }

  /** Threshold of each open cell: a point whose projection is above it is {@link #ON_LEFT}. */
  float[] thresholds() {
    return thresholds;
  }

  /**
   * Splits all open cells by the sides of their points.
   *
   * @param right room for as many ints as the largest of them has points
   */
  void split(int[] right) {
    var before = open;
    open = new ArrayList<>();
    for (int i = 0; i < before.size(); i++) {
      var range = before.get(i);
      if (random[i]) {
        chooseSidesRandomly(range);
      }
      int left = partition(range, right);
      add(range.left(firstNode + i, left), open);
      add(range.right(firstNode + i, left), open);
    }
  }

  /** Half of the points, whichever, go left; on a normal of zeros the sweep put none there. */
  private void chooseSidesRandomly(TreeDraft.Range range) {
    var order = new Permutation(range.size(), range.randomKey());
    for (int i = 0; i < range.size(); i++) {
      if (order.at(i) < range.size() / 2) {
        int point = tree.classId(range.from() + i);
        char cell = cells.getAtIndex(JAVA_CHAR, point);
        cells.setAtIndex(JAVA_CHAR, point, (char) (cell | ON_LEFT));
      }
    }
  }

  /** Writes each point to both sides and keeps it on one: no branch guesses wrong half the time. */
  private int partition(TreeDraft.Range range, int[] right) {
    int numLeft = 0;
    for (int i = 0; i < range.size(); i++) {
      int point = tree.classId(range.from() + i);
      tree.setClassId(range.from() + numLeft, point);
      right[i - numLeft] = point;
      numLeft += cells.getAtIndex(JAVA_CHAR, point) >> SIDE_BIT;
    }
    tree.setClassIds(range.from() + numLeft, right, range.size() - numLeft);
    return numLeft;
  }

  private void add(TreeDraft.Range range, List<TreeDraft.Range> into) {
    boolean close = range.size() <= gatherSize;
    char cell = close ? CLOSED : (char) into.size();
    for (int position = range.from(); position < range.to(); position++) {
      cells.setAtIndex(JAVA_CHAR, tree.classId(position), cell);
    }
    (close ? closed : into).add(range);
  }
}
