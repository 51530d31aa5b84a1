// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.internal.Check;
import megaclass.internal.InvalidFileException;
import megaclass.internal.LittleEndian;
import megaclass.internal.SectionFile;
import megaclass.internal.TextProperties;

/**
 * The bytes of a forest in a file. Numbers are little-endian; trees follow each other in order.
 *
 * <ul>
 *   <li>{@code forest.meta}: lines of {@code classes}, {@code stride}, {@code trees}, {@code
 *       leafSize}
 *   <li>{@code forest.sizes}: ints, the number of nodes and the number of leaves of each tree
 *   <li>{@code forest.nodes}: the nodes, 16 + stride bytes each: threshold and inverse length as
 *       floats, the references of the left and the right child as ints, the normal as signed bytes
 *   <li>{@code forest.leaves}: ints, the first position of each leaf, and the number of classes at
 *       the end of each tree
 *   <li>{@code forest.classes}: ints, the class ids in the order of the leaves
 * </ul>
 */
final class ForestFile {
  private static final String META = "forest.meta";
  private static final String SIZES = "forest.sizes";
  private static final String NODES = "forest.nodes";
  private static final String LEAVES = "forest.leaves";
  private static final String CLASSES = "forest.classes";

  private final SectionFile file;
  private final int numClasses;
  private final int stride;
  private final HashingForest.Settings settings;

  private ForestFile(SectionFile file) {
    this.file = file;
    var meta = meta();
    numClasses = number(meta, "classes");
    stride = number(meta, "stride");
    int numTrees = number(meta, "trees");
    int leafSize = number(meta, "leafSize");
    if (stride % ComputeBackend.ROW_ALIGNMENT != 0) {
      throw damaged(META, "has stride " + stride + ", expected a multiple of 16");
    }
    try {
      settings = new HashingForest.Settings(numTrees, leafSize);
    } catch (IllegalArgumentException e) {
      throw damaged(META, "is out of range: " + e.getMessage());
    }
  }

  static void write(
      List<ForestTree> trees, HashingForest.Settings settings, SectionFile.Writer file) {
    var meta = new LinkedHashMap<String, String>();
    meta.put("classes", String.valueOf(trees.getFirst().numClasses()));
    meta.put("stride", String.valueOf(trees.getFirst().stride()));
    meta.put("trees", String.valueOf(settings.numTrees()));
    meta.put("leafSize", String.valueOf(settings.leafSize()));
    file.section(META, MemorySegment.ofArray(TextProperties.format(meta).getBytes(UTF_8)));
    try (var out = file.section(SIZES)) {
      for (var tree : trees) {
        out.putInt(tree.numNodes());
        out.putInt(tree.numLeaves());
      }
    }
    try (var out = file.section(NODES)) {
      trees.forEach(tree -> out.write(tree.nodes()));
    }
    try (var out = file.section(LEAVES)) {
      trees.forEach(tree -> out.write(tree.leafStarts()));
    }
    try (var out = file.section(CLASSES)) {
      trees.forEach(tree -> out.write(tree.classIds()));
    }
  }

  static HashingForest read(SectionFile file, ComputeBackend backend) {
    return new ForestFile(file).read(backend);
  }

  private Map<String, String> meta() {
    var text = new String(file.section(META).toArray(ValueLayout.JAVA_BYTE), UTF_8);
    try {
      return TextProperties.parse(text);
    } catch (IllegalArgumentException e) {
      throw damaged(META, "cannot be read: " + e.getMessage());
    }
  }

  private int number(Map<String, String> meta, String name) {
    var text = meta.getOrDefault(name, "missing");
    try {
      return Check.positive(name, Integer.parseInt(text));
    } catch (IllegalArgumentException e) {
      throw damaged(META, "has %s = %s, expected a number above 0".formatted(name, text));
    }
  }

  private HashingForest read(ComputeBackend backend) {
    var arena = Arena.ofShared();
    try {
      return new HashingForest(arena, trees(arena), settings, backend);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  private List<ForestTree> trees(Arena arena) {
    var sizes = file.section(SIZES, 8L * settings.numTrees());
    long nodes = 0;
    long leaves = 0;
    for (int tree = 0; tree < settings.numTrees(); tree++) {
      int numNodes = sizes.get(LittleEndian.INT, 8L * tree);
      int numLeaves = sizes.get(LittleEndian.INT, 8L * tree + 4);
      if (numNodes < 0 || numLeaves != numNodes + 1) {
        throw damaged(
            SIZES,
            "has %d nodes and %d leaves for tree %d, expected one leaf more than nodes; build the forest anew"
                .formatted(numNodes, numLeaves, tree));
      }
      nodes += numNodes;
      leaves += numLeaves;
    }
    var allNodes = new Cursor(file.section(NODES, nodes * ForestTree.nodeBytes(stride)), arena);
    var allLeaves = new Cursor(file.section(LEAVES, 4 * (leaves + settings.numTrees())), arena);
    var classes = new Cursor(file.section(CLASSES, 4L * numClasses * settings.numTrees()), arena);
    var trees = new ArrayList<ForestTree>();
    for (int tree = 0; tree < settings.numTrees(); tree++) {
      int numNodes = sizes.get(LittleEndian.INT, 8L * tree);
      var read =
          new ForestTree(
              stride,
              allNodes.take(numNodes * ForestTree.nodeBytes(stride)),
              classes.take(4L * numClasses),
              allLeaves.take(4L * (numNodes + 2)));
      checkNodes(read, tree);
      checkLeaves(read, tree);
      checkClasses(read, tree);
      trees.add(read);
    }
    return trees;
  }

  /** Copies a section piece by piece into memory of its own. */
  private static final class Cursor {
    private final MemorySegment section;
    private final Arena arena;
    private long at;

    Cursor(MemorySegment section, Arena arena) {
      this.section = section;
      this.arena = arena;
    }

    MemorySegment take(long bytes) {
      var piece = NativeMemory.allocate(bytes, arena).asSlice(0, bytes);
      piece.copyFrom(section.asSlice(at, bytes));
      at += bytes;
      return piece;
    }
  }

  /** Every node but the root, and every leaf, is below one node, which comes before it. */
  private void checkNodes(ForestTree tree, int number) {
    var nodes = new BitSet();
    var leaves = new BitSet();
    for (int node = 0; node < tree.numNodes(); node++) {
      for (int side : new int[] {ForestTree.LEFT, ForestTree.RIGHT}) {
        int child = tree.childAt(node, side);
        boolean isLeaf = child < 0;
        int index = isLeaf ? ~child : child;
        boolean valid = isLeaf ? index < tree.numLeaves() : child > node && child < tree.numNodes();
        if (!valid || (isLeaf ? leaves : nodes).get(index)) {
          throw damaged(
              NODES,
              "has a wrong child %d at node %d of tree %d; build the forest anew"
                  .formatted(child, node, number));
        }
        (isLeaf ? leaves : nodes).set(index);
      }
    }
  }

  private void checkLeaves(ForestTree tree, int number) {
    for (int leaf = 0; leaf < tree.numLeaves(); leaf++) {
      long size = (long) tree.leafTo(leaf) - tree.leafFrom(leaf);
      if (size < 1 || size > settings.leafSize()) {
        throw damaged(
            LEAVES,
            "has %d classes in leaf %d of tree %d, expected 1 to %d; build the forest anew"
                .formatted(size, leaf, number, settings.leafSize()));
      }
    }
    if (tree.leafFrom(0) != 0 || tree.leafTo(tree.numLeaves() - 1) != numClasses) {
      throw damaged(
          LEAVES,
          "does not cover the %d classes of tree %d; build the forest anew"
              .formatted(numClasses, number));
    }
  }

  private void checkClasses(ForestTree tree, int number) {
    var seen = new BitSet(numClasses);
    for (int position = 0; position < numClasses; position++) {
      int classId = tree.classId(position);
      if (classId < 0 || classId >= numClasses || seen.get(classId)) {
        throw damaged(
            CLASSES,
            "has class %d in tree %d twice or in vain; build the forest anew"
                .formatted(classId, number));
      }
      seen.set(classId);
    }
  }

  private InvalidFileException damaged(String section, String problem) {
    return new InvalidFileException(file.path(), "section \"" + section + "\" " + problem);
  }
}
