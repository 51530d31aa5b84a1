// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.lang.foreign.MemorySegment;
import megaclass.internal.LittleEndian;

/**
 * One tree of a forest, as it lies in memory and in files. A <em>reference</em> is the number of a
 * node, or, if negative, the complement of the number of a leaf. Both are numbered in the order of
 * a walk that goes left first, so that a node comes before all nodes below it. Immutable.
 *
 * <p>A node is 16 bytes and a normal of {@code stride} signed bytes. Normals have to be kept: while
 * the rows move on, a tree must answer by the hyperplanes it was built with. For 1M classes x 128
 * and 50 trees with leaves of 128 a forest has 0.65M nodes: 333 MB of normals as floats, 166 MB as
 * bf16, 83 MB as bytes. The numbers of the two points of each node, with a copy of all rows, would
 * be 256 MB as bf16, 128 MB as bytes, and a query twice the work. Bytes cost no recall, since any
 * hyperplane near the bisector does: even with codes of -2 to 2 a forest found as many.
 *
 * @param stride floats of a row, padding included, and bytes of a normal
 * @param nodes (numNodes, 16 + stride)
 * @param classIds (numClasses) ints: the classes of leaf 0, then those of leaf 1, and so on
 * @param leafStarts (numLeaves + 1) ints: where each leaf starts in {@code classIds}, and its end
 */
record ForestTree(
    int stride, MemorySegment nodes, MemorySegment classIds, MemorySegment leafStarts) {
  /** Bytes of a node before its normal. */
  static final int HEAD_BYTES = 16;

  // Offsets in a node.
  static final int THRESHOLD = 0;
  static final int INVERSE_LENGTH = 4;
  static final int LEFT = 8;
  static final int RIGHT = 12;

  static long nodeBytes(int stride) {
    return (long) HEAD_BYTES + stride;
  }

  int numNodes() {
    return Math.toIntExact(nodes.byteSize() / nodeBytes(stride));
  }

  int numLeaves() {
    return Math.toIntExact(leafStarts.byteSize() / Integer.BYTES - 1);
  }

  int numClasses() {
    return Math.toIntExact(classIds.byteSize() / Integer.BYTES);
  }

  /** Where a walk starts: a tree of a single leaf has no node. */
  int root() {
    return nodes.byteSize() == 0 ? ~0 : 0;
  }

  long normal(int node) {
    return nodes.address() + node * nodeBytes(stride) + HEAD_BYTES;
  }

  /** The node or leaf below on a side, {@link #LEFT} or {@link #RIGHT}. */
  int childAt(int node, int side) {
    return nodes.get(LittleEndian.INT, node * nodeBytes(stride) + side);
  }

  /** The node or leaf below, for a point x with this n . x. */
  int child(int node, float projection) {
    long at = node * nodeBytes(stride);
    boolean left = projection > nodes.get(LittleEndian.FLOAT, at + THRESHOLD);
    return nodes.get(LittleEndian.INT, at + (left ? LEFT : RIGHT));
  }

  /** The node or leaf below that {@link #child} does not choose. */
  int otherChild(int node, float projection) {
    long at = node * nodeBytes(stride);
    boolean left = projection > nodes.get(LittleEndian.FLOAT, at + THRESHOLD);
    return nodes.get(LittleEndian.INT, at + (left ? RIGHT : LEFT));
  }

  /** Distance of a point with this n . x from the hyperplane: |n . x - t| / |n|. */
  float margin(int node, float projection) {
    long at = node * nodeBytes(stride);
    float distance = Math.abs(projection - nodes.get(LittleEndian.FLOAT, at + THRESHOLD));
    return distance * nodes.get(LittleEndian.FLOAT, at + INVERSE_LENGTH);
  }

  /** Whether a node has no hyperplane: all points go right. */
  boolean isRandom(int node) {
    return nodes.get(LittleEndian.FLOAT, node * nodeBytes(stride) + INVERSE_LENGTH) == 0;
  }

  int leafFrom(int leaf) {
    return leafStarts.get(LittleEndian.INT, 4L * leaf);
  }

  int leafTo(int leaf) {
    return leafStarts.get(LittleEndian.INT, 4L * leaf + 4);
  }

  int classId(int position) {
    return classIds.get(LittleEndian.INT, 4L * position);
  }

  /** Copies the classes of a leaf; returns how many there are. */
  int copyLeaf(int leaf, int[] into) {
    int from = leafFrom(leaf);
    int count = leafTo(leaf) - from;
    MemorySegment.copy(classIds, LittleEndian.INT, 4L * from, into, 0, count);
    return count;
  }

  long sizeInBytes() {
    return nodes.byteSize() + classIds.byteSize() + leafStarts.byteSize();
  }

  /** How deep the tree is. */
  HashingForest.TreeShape shape() {
    int[] depths = new int[numNodes()];
    int deepest = 0;
    int numRandom = 0;
    double sum = 0;
    for (int node = 0; node < depths.length; node++) {
      numRandom += isRandom(node) ? 1 : 0;
      for (int side : new int[] {LEFT, RIGHT}) {
        int child = childAt(node, side);
        if (child >= 0) {
          depths[child] = depths[node] + 1;
        } else {
          deepest = Math.max(deepest, depths[node] + 1);
          sum += (depths[node] + 1.0) * (leafTo(~child) - leafFrom(~child));
        }
      }
    }
    return new HashingForest.TreeShape(numLeaves(), deepest, sum / numClasses(), numRandom);
  }
}
