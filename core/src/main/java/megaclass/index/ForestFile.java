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
import java.util.function.Function;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.internal.Check;
import megaclass.internal.TextProperties;

/**
 * The bytes of a forest in a file, as named sections. Numbers are little-endian, T is the number of
 * a tree from 0.
 *
 * <ul>
 *   <li>{@code meta}: lines of {@code classes}, {@code stride}, {@code trees}, {@code leafSize}
 *   <li>{@code nodes.T}: the nodes, 16 + stride bytes each: threshold and inverse length as floats,
 *       the references of the left and the right child as ints, the normal as signed bytes
 *   <li>{@code leaves.T}: ints, the first position of each leaf, and the number of classes
 *   <li>{@code classes.T}: ints, the class ids in the order of the leaves
 * </ul>
 */
final class ForestFile {
  private static final String META = "meta";
  private static final String NODES = "nodes.";
  private static final String LEAVES = "leaves.";
  private static final String CLASSES = "classes.";

  private final Function<String, MemorySegment> sections;
  private final int numClasses;
  private final int stride;
  private final HashingForest.Settings settings;

  private ForestFile(Function<String, MemorySegment> sections) {
    this.sections = sections;
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

  /** The sections of a forest; all but the first are its own memory. */
  static Map<String, MemorySegment> sections(
      List<ForestTree> trees, HashingForest.Settings settings) {
    var meta = new LinkedHashMap<String, String>();
    meta.put("classes", String.valueOf(trees.getFirst().numClasses()));
    meta.put("stride", String.valueOf(trees.getFirst().stride()));
    meta.put("trees", String.valueOf(settings.numTrees()));
    meta.put("leafSize", String.valueOf(settings.leafSize()));
    var sections = new LinkedHashMap<String, MemorySegment>();
    sections.put(META, MemorySegment.ofArray(TextProperties.format(meta).getBytes(UTF_8)));
    for (int i = 0; i < trees.size(); i++) {
      sections.put(NODES + i, trees.get(i).nodes());
      sections.put(LEAVES + i, trees.get(i).leafStarts());
      sections.put(CLASSES + i, trees.get(i).classIds());
    }
    return sections;
  }

  static HashingForest read(Function<String, MemorySegment> sections, ComputeBackend backend) {
    return new ForestFile(sections).read(backend);
  }

  private Map<String, String> meta() {
    var text = new String(sections.apply(META).toArray(ValueLayout.JAVA_BYTE), UTF_8);
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
      var trees = new ArrayList<ForestTree>();
      for (int i = 0; i < settings.numTrees(); i++) {
        trees.add(tree(i, arena));
      }
      return new HashingForest(arena, trees, settings, backend);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  private ForestTree tree(int number, Arena arena) {
    long nodeBytes = ForestTree.nodeBytes(stride);
    var nodes = sections.apply(NODES + number);
    long numNodes = nodes.byteSize() / nodeBytes;
    requireLength(NODES + number, numNodes * nodeBytes);
    requireLength(LEAVES + number, 4 * (numNodes + 2));
    requireLength(CLASSES + number, 4L * numClasses);
    var read =
        new ForestTree(
            stride,
            copy(NODES + number, arena),
            copy(CLASSES + number, arena),
            copy(LEAVES + number, arena));
    checkNodes(read, number);
    checkLeaves(read, number);
    checkClasses(read, number);
    return read;
  }

  private void requireLength(String name, long bytes) {
    long found = sections.apply(name).byteSize();
    if (found != bytes) {
      throw damaged(
          name, "has %d bytes, expected %d; build the forest anew".formatted(found, bytes));
    }
  }

  private MemorySegment copy(String name, Arena arena) {
    var section = sections.apply(name);
    long bytes = section.byteSize();
    return NativeMemory.allocate(bytes, arena).asSlice(0, bytes).copyFrom(section);
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
              NODES + number,
              "has a wrong child %d at node %d; build the forest anew".formatted(child, node));
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
            LEAVES + number,
            "has %d classes in leaf %d, expected 1 to %d; build the forest anew"
                .formatted(size, leaf, settings.leafSize()));
      }
    }
    if (tree.leafFrom(0) != 0 || tree.leafTo(tree.numLeaves() - 1) != numClasses) {
      throw damaged(
          LEAVES + number,
          "does not cover the %d classes; build the forest anew".formatted(numClasses));
    }
  }

  private void checkClasses(ForestTree tree, int number) {
    var seen = new BitSet(numClasses);
    for (int position = 0; position < numClasses; position++) {
      int classId = tree.classId(position);
      if (classId < 0 || classId >= numClasses || seen.get(classId)) {
        throw damaged(
            CLASSES + number,
            "has class %d twice or in vain; build the forest anew".formatted(classId));
      }
      seen.set(classId);
    }
  }

  private static IllegalArgumentException damaged(String section, String problem) {
    return new IllegalArgumentException("section \"" + section + "\" " + problem);
  }
}
