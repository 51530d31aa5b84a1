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

  private static final char CLOSED = 0xFFFF;
  private static final char ON_LEFT = 0x8000;

  private final Points points;
  private final TreeDraft tree;
  private final int gatherSize;

  /** For each point the number of its open cell, and its side in it; or CLOSED. */
  private final MemorySegment cells;

  private List<TreeDraft.Range> open = new ArrayList<>();
  private final List<TreeDraft.Range> closed = new ArrayList<>();
  private int[] nodes = new int[0];
  private boolean[] random = new boolean[0];
  private float[] thresholds = new float[0];
  private long[] normals = new long[0];

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
    nodes = new int[open.size()];
    random = new boolean[open.size()];
    thresholds = new float[open.size()];
    normals = new long[open.size()];
    for (int i = 0; i < open.size(); i++) {
      var range = open.get(i);
      random[i] = !splitter.draw(new OpenCell(range), range.key());
      thresholds[i] = splitter.threshold();
      nodes[i] = tree.addNode(range, splitter);
    }
    for (int i = 0; i < nodes.length; i++) { // not before: adding moves them
      normals[i] = tree.normal(nodes[i]);
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

  /** Address of the normal of a point's open cell, or 0 if its cell is closed. */
  long normal(int point) {
    char cell = cells.getAtIndex(JAVA_CHAR, point);
    return cell == CLOSED ? 0 : normals[cell];
  }

  /** Tells on which side of that normal a point lies. */
  void setProjection(int point, float projection) {
    char cell = cells.getAtIndex(JAVA_CHAR, point);
    if (projection > thresholds[cell]) {
      cells.setAtIndex(JAVA_CHAR, point, (char) (cell | ON_LEFT));
    }
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
      add(range.left(nodes[i], left), open);
      add(range.right(nodes[i], left), open);
    }
  }

  /** Half of the points, whichever, go left. */
  private void chooseSidesRandomly(TreeDraft.Range range) {
    var order = new Permutation(range.size(), range.randomKey());
    for (int i = 0; i < range.size(); i++) {
      int point = tree.classId(range.from() + i);
      char cell = (char) (cells.getAtIndex(JAVA_CHAR, point) & ~ON_LEFT);
      boolean left = order.at(i) < range.size() / 2;
      cells.setAtIndex(JAVA_CHAR, point, left ? (char) (cell | ON_LEFT) : cell);
    }
  }

  private int partition(TreeDraft.Range range, int[] right) {
    int numLeft = 0;
    int numRight = 0;
    for (int position = range.from(); position < range.to(); position++) {
      int point = tree.classId(position);
      if ((cells.getAtIndex(JAVA_CHAR, point) & ON_LEFT) != 0) {
        tree.setClassId(range.from() + numLeft++, point);
      } else {
        right[numRight++] = point;
      }
    }
    tree.setClassIds(range.from() + numLeft, right, numRight);
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
