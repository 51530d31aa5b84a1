// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import megaclass.index.BinaryIvf;
import megaclass.index.ClassIndex;
import megaclass.index.ForestIndex;
import megaclass.index.HashingForest;
import megaclass.index.IndexedRows;

/** The indexes that specs name, with suitable values where a spec leaves the choice to us. */
final class ClassIndexes {
  private static final int FEWEST_CANDIDATES = 16;

  private ClassIndexes() {}

  /** Whether a spec finds its classes by an index. */
  static boolean isIndexed(SelectorSpec spec) {
    return spec instanceof SelectorSpec.Ivf || spec instanceof SelectorSpec.Forest;
  }

  /** Classes that a spec with an index makes active. */
  static int numActive(SelectorSpec spec, int numClasses) {
    double rate =
        switch (spec) {
          case SelectorSpec.Ivf ivf -> ivf.rate();
          case SelectorSpec.Forest forest -> forest.rate();
          case SelectorSpec.Neighbours neighbours -> neighbours.rate();
          default -> throw new IllegalArgumentException(spec + " has no index");
        };
    return Math.clamp(Math.round(rate * numClasses), 1, numClasses);
  }

  /** The index of a spec that has one. */
  static ClassIndex of(SelectorSpec spec, SelectionProblem problem) {
    return switch (spec) {
      case SelectorSpec.Ivf ivf -> ivf(ivf, problem);
      case SelectorSpec.Forest forest -> forest(forest, problem);
      case SelectorSpec.Neighbours neighbours -> ivf(behind(neighbours, problem), problem);
      default -> throw new IllegalArgumentException(spec + " has no index");
    };
  }

  /**
   * Bytes of the index of a spec that has one, with what building takes.
   *
   * @param width floats of a class weight, its bias included
   */
  static long sizeInBytes(SelectorSpec spec, int numClasses, int width, int batchSize) {
    return switch (spec) {
      case SelectorSpec.Ivf ivf ->
          BinaryIvf.sizeInBytes(numClasses, width, numLists(ivf, numClasses));
      case SelectorSpec.Forest forest ->
          ForestIndex.sizeInBytes(numClasses, width, trees(forest, numClasses, batchSize));
      case SelectorSpec.Auto auto ->
          sizeInBytes(AutoClasses.index(auto), numClasses, width, batchSize);
      case SelectorSpec.Neighbours neighbours ->
          BinaryIvf.sizeInBytes(numClasses, width, suitableLists(numClasses))
              + (8 + 4L * numNeighbours(neighbours, numClasses, batchSize)) * numClasses;
      default -> throw new IllegalArgumentException(spec + " has no index");
    };
  }

  private static IndexedRows rows(SelectionProblem problem) {
    return new IndexedRows(
        problem.weights().matrix(), problem.normalised(), problem.engine().backend());
  }

  // ---- inverted file -------------------------------------------------------------------------

  private static ClassIndex ivf(SelectorSpec.Ivf spec, SelectionProblem problem) {
    return new BinaryIvf(
        rows(problem),
        sizes(spec, problem.weights().numClasses(), problem.batchSize()),
        problem.seed(),
        problem.engine());
  }

  /** All settings of the inverted file that a spec stands for. */
  static BinaryIvf.Settings sizes(SelectorSpec.Ivf spec, int numClasses, int batchSize) {
    if (spec.numLists() > numClasses) {
      throw new IllegalArgumentException(
          "numLists must be at most the number of classes, %d, but was %d; give fewer, or 0 for a suitable number"
              .formatted(numClasses, spec.numLists()));
    }
    int numLists = numLists(spec, numClasses);
    int numProbes = spec.numProbes() > 0 ? spec.numProbes() : Math.max(8, numLists / 32);
    int numCandidates =
        spec.numCandidates() > 0
            ? spec.numCandidates()
            : suitableCandidates(spec, numClasses, batchSize);
    return new BinaryIvf.Settings(
        numLists,
        Math.min(numProbes, numLists),
        Math.min(numCandidates, numClasses),
        spec.repairEvery(),
        spec.code());
  }

  private static int numLists(SelectorSpec.Ivf spec, int numClasses) {
    return spec.numLists() > 0 ? spec.numLists() : suitableLists(numClasses);
  }

  private static int suitableLists(int numClasses) {
    return Math.clamp(Math.round(2 * Math.sqrt(numClasses)), 1, numClasses);
  }

  /**
   * Four times the part that a sample has in the active classes: others propose them too. But a
   * coverage may need few of those that it may take, and asks for more if it needs more.
   */
  private static int suitableCandidates(SelectorSpec spec, int numClasses, int batchSize) {
    if (spec instanceof SelectorSpec.Ivf ivf && ivf.coverage() < 1) {
      return FEWEST_CANDIDATES;
    }
    long numActive = numActive(spec, numClasses);
    return Math.max(FEWEST_CANDIDATES, Math.toIntExact(Math.ceilDiv(4 * numActive, batchSize)));
  }

  // ---- neighbours ----------------------------------------------------------------------------

  /** Neighbours that each class keeps: given, or as many as a sample has candidates else. */
  static int numNeighbours(SelectorSpec.Neighbours spec, int numClasses, int batchSize) {
    int wanted =
        spec.numNeighbours() > 0
            ? spec.numNeighbours()
            : suitableCandidates(spec, numClasses, batchSize);
    return Math.clamp(wanted, 1, Math.max(1, numClasses - 1));
  }

  /** The inverted file that finds neighbours: one more, since a class is nearest to itself. */
  private static SelectorSpec.Ivf behind(SelectorSpec.Neighbours spec, SelectionProblem problem) {
    int numClasses = problem.weights().numClasses();
    int wanted = 1 + numNeighbours(spec, numClasses, problem.batchSize());
    return SelectorSpec.Ivf.ofRate(spec.rate()).with(wanted, spec.refreshEvery());
  }

  // ---- hashing forest ------------------------------------------------------------------------

  private static ClassIndex forest(SelectorSpec.Forest spec, SelectionProblem problem) {
    int numClasses = problem.weights().numClasses();
    var settings =
        new ForestIndex.Settings(
            trees(spec, numClasses, problem.batchSize()),
            Math.min(spec.numCandidates(), numClasses),
            Math.max(
                spec.numCandidates(), suitableCandidates(spec, numClasses, problem.batchSize())),
            spec.refreshEvery(),
            spec.refreshDrift());
    return new ForestIndex(rows(problem), settings, problem.seed(), problem.engine());
  }

  /**
   * Leaves that fill the active set even when weights are random: those of a sample have room for a
   * hundred times its part, since they are not full, and trees and samples share many classes.
   * Smaller leaves than 32 would mean many more hyperplanes.
   */
  private static HashingForest.Settings trees(
      SelectorSpec.Forest spec, int numClasses, int batchSize) {
    int part = Math.ceilDiv(numActive(spec, numClasses), batchSize);
    int suitable = Math.clamp(100L * part / spec.numTrees(), 32, Math.max(32, numClasses));
    return new HashingForest.Settings(
        spec.numTrees(), spec.leafSize() > 0 ? spec.leafSize() : suitable);
  }
}
