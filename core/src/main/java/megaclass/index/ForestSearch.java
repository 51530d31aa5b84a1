// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.util.Arrays;
import java.util.List;
import megaclass.compute.ComputeBackend;

/**
 * Asks a forest about one embedding after the other and holds what it found about the last. For one
 * thread at a time; see {@link HashingForest#newSearch}. It keeps a bit for each class.
 *
 * <p>An embedding walks down all trees at once, a level at a time. The next node of a walk is known
 * only when a product with a node somewhere in memory is, so the walks wait for memory together
 * instead of one after another.
 */
public final class ForestSearch {
  private final ForestTree[] trees;
  private final ComputeBackend backend;
  private final int numClasses;

  /** Node or leaf that the walk has come to, by tree. */
  private final int[] references;

  private final int[] walking;
  private final long[] normals;
  private final float[] projections;
  private final BranchQueue branches = new BranchQueue();

  private int[] classIds = new int[1024];
  private int numFound;

  /** A bit for each class. */
  private final long[] isFound;

  private int[] leaf = new int[64];
  private long numHyperplanes;
  private int numLeaves;

  ForestSearch(List<ForestTree> trees, ComputeBackend backend) {
    this.trees = trees.toArray(ForestTree[]::new);
    this.backend = backend;
    numClasses = this.trees[0].numClasses();
    isFound = new long[Math.ceilDiv(numClasses, Long.SIZE)];
    references = new int[this.trees.length];
    walking = new int[this.trees.length];
    normals = new long[this.trees.length];
    projections = new float[this.trees.length];
  }

  /** Finds the leaf of an embedding, (stride), in each tree, and no classes. */
  public void findLeaves(long embedding) {
    begin();
    walkAll(embedding, false);
  }

  /**
   * Finds classes that are likely to be near an embedding: those of its leaf in each tree. If they
   * are too few, the branches that its walks left aside are followed, over all trees those first
   * that the embedding missed by the least: by the sum of ((n . x - t) / |n|)^2 over the
   * hyperplanes between it and the branch. With as many candidates, the sum found more of the
   * nearest classes than the largest of these distances, as in Annoy, or the last of them.
   *
   * @param embedding address of (stride) floats
   * @param atLeast how many classes, if there are as many; leaves are taken in whole
   * @return how many classes were found
   */
  public int search(long embedding, int atLeast) {
    begin();
    int wanted = Math.min(atLeast, numClasses);
    walkAll(embedding, wanted > 0);
    for (int tree = 0; tree < trees.length; tree++) {
      addLeaf(tree, ~references[tree]);
    }
    while (numFound < wanted) { // while a class is missing, so is a leaf: there is a branch left
      follow(branches.takeNearest(), embedding);
    }
    return numFound;
  }

  private void begin() {
    clear();
    numHyperplanes = 0;
    numLeaves = 0;
    branches.clear();
  }

  /** Walks from all roots to leaves, level by level. */
  private void walkAll(long embedding, boolean remember) {
    int active = 0;
    for (int tree = 0; tree < trees.length; tree++) {
      references[tree] = trees[tree].root();
      if (references[tree] >= 0) {
        walking[active++] = tree;
      }
    }
    while (active > 0) {
      for (int i = 0; i < active; i++) {
        normals[i] = trees[walking[i]].normal(references[walking[i]]);
      }
      backend.codeDots(normals, active, embedding, trees[0].stride(), projections);
      numHyperplanes += active;
      int left = 0;
      for (int i = 0; i < active; i++) {
        int tree = walking[i];
        int node = references[tree];
        if (remember) {
          addBranch(tree, node, projections[i], 0);
        }
        references[tree] = trees[tree].child(node, projections[i]);
        walking[left] = tree;
        left += references[tree] >= 0 ? 1 : 0;
      }
      active = left;
    }
  }

  /** Walks from a branch to a leaf, and takes its classes. */
  private void follow(BranchQueue.Branch branch, long embedding) {
    int tree = branch.tree();
    int reference = branch.reference();
    while (reference >= 0) {
      normals[0] = trees[tree].normal(reference);
      backend.codeDots(normals, 1, embedding, trees[tree].stride(), projections);
      numHyperplanes++;
      addBranch(tree, reference, projections[0], branch.squaredDistance());
      reference = trees[tree].child(reference, projections[0]);
    }
    addLeaf(tree, ~reference);
  }

  private void addBranch(int tree, int node, float projection, float crossed) {
    float margin = trees[tree].margin(node, projection);
    branches.add(crossed + margin * margin, tree, trees[tree].otherChild(node, projection));
  }

  // ---- the set of classes --------------------------------------------------------------------

  private void addLeaf(int tree, int number) {
    int count = trees[tree].leafTo(number) - trees[tree].leafFrom(number);
    if (classIds.length < numFound + count) {
      classIds = Arrays.copyOf(classIds, Math.max(numFound + count, 2 * classIds.length));
    }
    if (leaf.length < count) {
      leaf = new int[count];
    }
    trees[tree].copyLeaf(number, leaf);
    for (int i = 0; i < count; i++) {
      int classId = leaf[i];
      long word = isFound[classId >>> 6];
      classIds[numFound] = classId; // counts if it is new: no branch is guessed wrong
      numFound += (int) (~word >>> classId) & 1;
      isFound[classId >>> 6] = word | 1L << classId;
    }
    numLeaves++;
  }

  private void clear() {
    for (int i = 0; i < numFound; i++) {
      isFound[classIds[i] >>> 6] = 0;
    }
    numFound = 0;
  }

  // ---- what was found ------------------------------------------------------------------------

  /** Number of the leaf that the embedding fell into. */
  public int leaf(int tree) {
    return ~references[tree];
  }

  /** How many classes were found. */
  public int size() {
    return numFound;
  }

  /** A class that was found, for {@code i} in [0, size), in the order of finding. */
  public int classId(int i) {
    return classIds[i];
  }

  /** All classes that were found, none twice, in the order of finding. */
  public int[] classIds() {
    return Arrays.copyOf(classIds, numFound);
  }

  /** What it cost: products of the embedding with a hyperplane. */
  public long numHyperplanes() {
    return numHyperplanes;
  }

  /** What it cost: leaves whose classes were read. */
  public int numLeaves() {
    return numLeaves;
  }
}
