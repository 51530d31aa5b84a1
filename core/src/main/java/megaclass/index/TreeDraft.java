// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import megaclass.compute.NativeMemory;
import megaclass.internal.GrowingMemory;
import megaclass.internal.Hash;
import megaclass.internal.LittleEndian;

/**
 * A tree that is being built: its nodes and leaves so far, and the class ids, in which every cell
 * is a range. A cell's points stay in ascending order. One thread at a time.
 */
final class TreeDraft implements AutoCloseable {
  // Purposes of draws from a cell's key; see also Splitter.
  private static final long LEFT_CELL = 1;
  private static final long RIGHT_CELL = 2;
  private static final long RANDOM_SPLIT = 5;

  /**
   * A range of the class ids that is to become a leaf or to be split.
   *
   * @param key of the draws
   * @param parent the node above, or -1 for the root
   * @param side {@link ForestTree#LEFT} or {@link ForestTree#RIGHT} of the parent
   */
  record Range(int from, int to, long key, int parent, int side) {
    int size() {
      return to - from;
    }

    /** The two ranges below, once a node was made for this one. */
    Range left(int node, int size) {
      return new Range(from, from + size, Hash.key(key, LEFT_CELL), node, ForestTree.LEFT);
    }

    Range right(int node, int leftSize) {
      return new Range(from + leftSize, to, Hash.key(key, RIGHT_CELL), node, ForestTree.RIGHT);
    }

    /** The key of a random split. */
    long randomKey() {
      return Hash.key(key, RANDOM_SPLIT);
    }
  }

  private final int stride;
  private final MemorySegment classIds;
  private final GrowingMemory nodes = new GrowingMemory();
  private int numNodes;
  private int[] leafStarts = new int[16];
  private int numLeaves;

  /** Starts with all classes in one cell, in ascending order. */
  TreeDraft(int numClasses, int stride, Arena arena) {
    this.stride = stride;
    long bytes = 4L * numClasses;
    classIds = NativeMemory.allocate(bytes, arena).asSlice(0, bytes);
    for (int c = 0; c < numClasses; c++) {
      setClassId(c, c);
    }
  }

  Range root(long key) {
    return new Range(0, Math.toIntExact(classIds.byteSize() / 4), key, -1, ForestTree.LEFT);
  }

  int numNodes() {
    return numNodes;
  }

  int classId(int position) {
    return classIds.get(LittleEndian.INT, 4L * position);
  }

  void setClassId(int position, int classId) {
    classIds.set(LittleEndian.INT, 4L * position, classId);
  }

  /** Writes the first {@code count} class ids of an array at a position. */
  void setClassIds(int position, int[] from, int count) {
    MemorySegment.copy(from, 0, classIds, LittleEndian.INT, 4L * position, count);
  }

  /** Adds a node with the hyperplane last drawn; what lies below it follows. */
  int addNode(Range range, Splitter drawn) {
    link(range, numNodes);
    nodes.appendInt(Float.floatToRawIntBits(drawn.threshold()));
    nodes.appendInt(Float.floatToRawIntBits(drawn.inverseLength()));
    nodes.appendLong(0); // both children
    nodes.append(drawn.codes());
    return numNodes++;
  }

  /** Adds a leaf; leaves come in the order of their ranges. */
  void addLeaf(Range range) {
    link(range, ~numLeaves);
    if (numLeaves == leafStarts.length) {
      leafStarts = Arrays.copyOf(leafStarts, 2 * numLeaves);
    }
    leafStarts[numLeaves++] = range.from;
  }

  private void link(Range range, int reference) {
    if (range.parent >= 0) {
      long at = range.parent * ForestTree.nodeBytes(stride) + range.side;
      nodes.bytes().set(LittleEndian.INT, at, reference);
    }
  }

  /** Where the normal of a node lies; valid until the next node is added. */
  long normal(int node) {
    return nodes.bytes().address() + node * ForestTree.nodeBytes(stride) + ForestTree.HEAD_BYTES;
  }

  /** The finished tree, its nodes in the order of a walk that goes left first. */
  ForestTree finish(Arena arena) {
    var exact = NativeMemory.allocate(nodes.size(), arena).asSlice(0, nodes.size());
    int[] places = placesOfNodes();
    long nodeBytes = ForestTree.nodeBytes(stride);
    for (int node = 0; node < numNodes; node++) {
      long at = places[node] * nodeBytes;
      MemorySegment.copy(nodes.bytes(), node * nodeBytes, exact, at, nodeBytes);
      for (int side : new int[] {ForestTree.LEFT, ForestTree.RIGHT}) {
        int child = exact.get(LittleEndian.INT, at + side);
        exact.set(LittleEndian.INT, at + side, child < 0 ? child : places[child]);
      }
    }
    return new ForestTree(stride, exact, classIds, starts(arena));
  }

  /** How cells were split in turn leaves no trace: the place of each node in a walk. */
  private int[] placesOfNodes() {
    int[] places = new int[numNodes];
    int[] stack = new int[numNodes + 1];
    int waiting = numNodes > 0 ? 1 : 0;
    for (int place = 0; waiting > 0; place++) {
      int node = stack[--waiting];
      places[node] = place;
      for (int side : new int[] {ForestTree.RIGHT, ForestTree.LEFT}) {
        int child = nodes.bytes().get(LittleEndian.INT, node * ForestTree.nodeBytes(stride) + side);
        if (child >= 0) {
          stack[waiting++] = child;
        }
      }
    }
    return places;
  }

  private MemorySegment starts(Arena arena) {
    long bytes = 4L * (numLeaves + 1);
    var starts = NativeMemory.allocate(bytes, arena).asSlice(0, bytes);
    for (int leaf = 0; leaf < numLeaves; leaf++) {
      starts.set(LittleEndian.INT, 4L * leaf, leafStarts[leaf]);
    }
    starts.set(LittleEndian.INT, 4L * numLeaves, Math.toIntExact(classIds.byteSize() / 4));
    return starts;
  }

  @Override
  public void close() {
    nodes.close();
  }
}
