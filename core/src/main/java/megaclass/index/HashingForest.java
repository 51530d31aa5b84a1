// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import megaclass.internal.Check;

/**
 * The hashing forest of HF-Softmax (Zhang et al. 2018): random binary trees over the class weights.
 * A tree splits the classes by hyperplanes, each halfway between two random classes, down to leaves
 * of a few classes; an embedding falls into one leaf of each tree, and the classes there are likely
 * to be near it. The trees differ by their random draws, so that each adds classes that others
 * missed.
 *
 * <p>How it differs from the paper and from Annoy, which the authors' code uses:
 *
 * <ul>
 *   <li>Splits are guarded, and the normals of hyperplanes are rounded to bytes, see {@link
 *       Splitter}.
 *   <li>{@link #candidates} can follow, after one leaf of each tree, the branches that an embedding
 *       missed by the least, as Annoy does; the paper stops at the leaves.
 * </ul>
 *
 * <p>The forest is a function of the rows, the settings and the seed: the same for any number of
 * threads. It keeps nothing of the rows, which may move on or go away once it is built.
 *
 * <p>Immutable, and may be asked by many threads at once. Owns its memory until {@link #close}; it
 * must not be asked then.
 */
public final class HashingForest implements AutoCloseable {
  /** Most trees. */
  public static final int MAX_TREES = 10_000;

  /**
   * How a forest is built.
   *
   * @param numTrees how many trees; L in the paper. Each takes four bytes a class and more
   * @param leafSize most classes in a leaf, at least 1; B in the paper
   */
  public record Settings(int numTrees, int leafSize) {
    /** Checks both. */
    public Settings {
      Check.inRange("numTrees", numTrees, 1, MAX_TREES);
      Check.positive("leafSize", leafSize);
    }

    /** 50 trees, as many as the authors' code has, with leaves of 128 classes. */
    public static Settings defaults() {
      return new Settings(50, 128);
    }

    /** These settings with another {@code numTrees}. */
    public Settings withNumTrees(int numTrees) {
      return new Settings(numTrees, leafSize);
    }

    /** These settings with another {@code leafSize}. */
    public Settings withLeafSize(int leafSize) {
      return new Settings(numTrees, leafSize);
    }
  }

  /**
   * What became of a tree.
   *
   * @param numLeaves how many leaves it has, none of them empty
   * @param maxDepth most hyperplanes between root and leaf
   * @param meanDepth mean over the classes of the hyperplanes between root and leaf
   * @param numRandomSplits cells without two points that differ, split at random
   */
  public record TreeShape(int numLeaves, int maxDepth, double meanDepth, int numRandomSplits) {}

  /** How full leaves are on average. */
  private static final double EXPECTED_FILL = 0.61;

  private final Arena arena;
  private final List<ForestTree> trees;
  private final Settings settings;
  private final int numClasses;
  private final ComputeBackend backend;

  HashingForest(Arena arena, List<ForestTree> trees, Settings settings, ComputeBackend backend) {
    this.arena = arena;
    this.trees = List.copyOf(trees);
    this.settings = settings;
    this.numClasses = trees.getFirst().numClasses();
    this.backend = backend;
  }

  /**
   * Builds a forest with all threads of an engine.
   *
   * @param rows one for each class. They should not change meanwhile: the forest would be a valid
   *     one, but no longer a function of rows, settings and seed
   * @param normalised whether the directions of the rows count and not their lengths, as with
   *     cosines; embeddings are then of unit length. A row of zeros stays a point of its own
   * @param seed of all random draws
   * @param engine does the work, and its arithmetic answers later
   */
  public static HashingForest build(
      RowMatrix rows, boolean normalised, Settings settings, long seed, Engine engine) {
    var arena = Arena.ofShared();
    try {
      var builder = new ForestBuilder(rows, normalised, settings, seed, engine);
      return new HashingForest(arena, builder.build(arena), settings, engine.backend());
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /**
   * Bytes that a forest will take, about, for the memory forecast. While it is built, there are up
   * to 64 more for each class, and 4 for each class and thread.
   *
   * @param width floats of a row
   */
  public static long expectedBytes(int numClasses, int width, Settings settings) {
    double numLeaves = Math.max(1, numClasses / (EXPECTED_FILL * settings.leafSize()));
    double nodes = (numLeaves - 1) * ForestTree.nodeBytes(ComputeBackend.padded(width));
    return (long) (settings.numTrees() * (4.0 * numClasses + nodes + 4 * (numLeaves + 1)));
  }

  /** Number of classes. */
  public int numClasses() {
    return numClasses;
  }

  /** Number of trees. */
  public int numTrees() {
    return trees.size();
  }

  /** What it was built with. */
  public Settings settings() {
    return settings;
  }

  /** Floats of an embedding, with the zeros that fill it up to a multiple of 16. */
  public int stride() {
    return trees.getFirst().stride();
  }

  /** Bytes of all trees. */
  public long sizeInBytes() {
    return trees.stream().mapToLong(ForestTree::sizeInBytes).sum();
  }

  /** Leaves and depth of a tree. */
  public TreeShape shape(int tree) {
    return trees.get(tree).shape();
  }

  // ---- leaves --------------------------------------------------------------------------------

  /**
   * Finds the leaf of each embedding in each tree.
   *
   * @param embeddings addresses of (batch) rows of {@code stride} floats
   * @param into numbers of leaves, (batch, numTrees), written
   */
  public void leaves(long[] embeddings, Workers workers, int[] into) {
    Check.atLeast("into.length", into.length, (long) embeddings.length * numTrees());
    var searches = new ForestSearch[workers.threads()];
    workers.run(
        embeddings.length,
        (sample, worker) -> {
          var search = search(searches, worker);
          search.findLeaves(embeddings[sample]);
          for (int tree = 0; tree < numTrees(); tree++) {
            into[sample * numTrees() + tree] = search.leaf(tree);
          }
        });
  }

  /** Number of leaves of a tree. */
  public int numLeaves(int tree) {
    return trees.get(tree).numLeaves();
  }

  /** First position of a leaf's classes; see {@link #classId}. */
  public int leafFrom(int tree, int leaf) {
    return trees.get(tree).leafFrom(leaf);
  }

  /** Position after the last of a leaf's classes: where the next leaf starts. */
  public int leafTo(int tree, int leaf) {
    return trees.get(tree).leafTo(leaf);
  }

  /** The class at a position of a tree, in [0, numClasses); leaf follows leaf. */
  public int classId(int tree, int position) {
    return trees.get(tree).classId(position);
  }

  // ---- candidates ----------------------------------------------------------------------------

  /**
   * Finds classes that are likely to be near each embedding; see {@link ForestSearch#search}.
   *
   * @param embeddings addresses of (batch) rows of {@code stride} floats
   * @param atLeast how many classes for each embedding, at least, if there are as many; 0 for those
   *     of its leaves
   * @return for each embedding its classes in the order they were found, none twice
   */
  public int[][] candidates(long[] embeddings, int atLeast, Workers workers) {
    var found = new int[embeddings.length][];
    var searches = new ForestSearch[workers.threads()];
    workers.run(
        embeddings.length,
        (sample, worker) -> {
          var search = search(searches, worker);
          search.search(embeddings[sample], atLeast);
          found[sample] = search.classIds();
        });
    return found;
  }

  private ForestSearch search(ForestSearch[] searches, int worker) {
    var search = searches[worker];
    if (search == null) {
      search = new ForestSearch(trees, backend);
      searches[worker] = search;
    }
    return search;
  }

  /**
   * A search with memory of its own, some of it for each class, to be used by one thread at a time
   * for many embeddings.
   */
  public ForestSearch newSearch() {
    return new ForestSearch(trees, backend);
  }

  // ---- files ---------------------------------------------------------------------------------

  /**
   * What a file has to keep of the forest, by name, in memory that the forest owns; see {@link
   * ForestFile}.
   */
  public Map<String, MemorySegment> sections() {
    return ForestFile.sections(trees, settings);
  }

  /**
   * Reads the forest that gave {@link #sections}, of which nothing is needed afterwards.
   *
   * @param backend answers; as the forest was built with, lest a class on the edge of its leaf is
   *     sought in the next one
   * @throws IllegalArgumentException when the sections are not those of a forest
   */
  public static HashingForest read(
      Function<String, MemorySegment> sections, ComputeBackend backend) {
    return ForestFile.read(sections, backend);
  }

  @Override
  public void close() {
    arena.close();
  }
}
