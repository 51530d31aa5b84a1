// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;
import megaclass.index.BinaryIvf;

/**
 * Chooses the classes that a mini-batch sees.
 *
 * <p>What is chosen depends on the batch, the weights, the seed and the number of the draw, and on
 * nothing else: not on threads. A selector that learns as the run goes on keeps what it learned in
 * {@link #state}, so that a resumed run chooses the same. Not thread-safe, but may work with all
 * threads itself.
 */
public interface ClassSelector extends AutoCloseable {
  /**
   * Chooses the active classes of a batch.
   *
   * @param embeddings packed, (batch, dim)
   * @param targets class id of each sample, (batch); all of them become active
   * @param draw what is random follows from it and the seed: the number of the step, from 0, or
   *     another number for each group of each step
   */
  ActiveClasses select(Embeddings embeddings, int[] targets, long draw);

  /**
   * Classes that {@link #select} will make active whatever embeddings and weights are by then, as
   * far as that is known: so that they can be read from the disk ahead of need.
   *
   * @param targets as in {@code select}; may occur several times in what is returned, too
   */
  default int[] foreseen(int[] targets, long draw) {
    return targets;
  }

  /** Whether {@link #select} reads the weights of all classes, which must then be caught up. */
  default boolean readsAllWeights() {
    return false;
  }

  /** Called once, when the weights have their initial values. */
  default void begin() {}

  /**
   * Takes note of a class weight that has moved. Called from several threads at once, for different
   * classes.
   *
   * @param worker the thread that calls, in [0, threads)
   */
  default void moved(int classId, int worker) {}

  /** Ends a step: what has become stale is repaired. */
  default void endStep(long step) {}

  /**
   * Steps since the weights were as the index of this selector knows them.
   *
   * @param step number of the step that asks, from 0
   * @return 0 without an index, and for one that follows the weights
   */
  default long age(long step) {
    return 0;
  }

  /**
   * How far class weights have gone since the index took note of them, relative to their length;
   * about, from a sample of classes. 0 without an index, and for one that follows the weights.
   */
  default double drift() {
    return 0;
  }

  /** What a checkpoint has to keep, by name, so that a resumed run selects the same. */
  default Map<String, MemorySegment> state() {
    return Map.of();
  }

  /**
   * Called instead of {@link #begin} when a run is resumed and the weights are as they were.
   *
   * @param sections what {@link #state} gave, by name
   */
  default void restore(Function<String, MemorySegment> sections) {}

  @Override
  default void close() {}

  /**
   * Bytes that a selector keeps for all classes, for the memory forecast.
   *
   * @param width floats of a class weight, its bias included
   * @param batchSize samples of a batch, at most
   */
  static long sizeInBytes(SelectorSpec spec, int numClasses, int width, int batchSize) {
    return switch (spec) {
      case SelectorSpec.All _, SelectorSpec.Uniform _ -> 0;
      case SelectorSpec.ExactTop _ -> 12L * numClasses;
      case SelectorSpec.Auto _,
          SelectorSpec.Ivf _,
          SelectorSpec.Forest _,
          SelectorSpec.Neighbours _ ->
          ClassIndexes.sizeInBytes(spec, numClasses, width, batchSize);
      case SelectorSpec.Adaptive adaptive ->
          sizeInBytes(adaptive.base(), numClasses, width, batchSize);
      case SelectorSpec.Curriculum(SelectorSpec base, int _) ->
          sizeInBytes(base, numClasses, width, batchSize);
      case SelectorSpec.WithTail(SelectorSpec base, double _) ->
          sizeInBytes(base, numClasses, width, batchSize);
      case SelectorSpec.WithGroups(SelectorSpec base, int numGroups) ->
          sizeInBytes(base, numClasses, width, Math.ceilDiv(batchSize, numGroups));
    };
  }

  /** Most classes that a batch of this size makes active, for the memory forecast. */
  static long mostActive(SelectorSpec spec, int numClasses, int batchSize) {
    double chosen =
        switch (spec) {
          case SelectorSpec.All _ -> numClasses;
          case SelectorSpec.Uniform(double rate, boolean _) -> rate * numClasses;
          case SelectorSpec.Auto(double rate, int _) -> rate * numClasses;
          case SelectorSpec.ExactTop(int numActive) -> numActive;
          case SelectorSpec.Ivf _, SelectorSpec.Forest _, SelectorSpec.Neighbours _ ->
              ClassIndexes.numActive(spec, numClasses);
          case SelectorSpec.Adaptive adaptive -> mostActive(adaptive.base(), numClasses, batchSize);
          case SelectorSpec.Curriculum(SelectorSpec base, int _) ->
              mostActive(base, numClasses, batchSize);
          case SelectorSpec.WithTail(SelectorSpec base, double share) ->
              (1 + share) * mostActive(base, numClasses, batchSize);
          case SelectorSpec.WithGroups(SelectorSpec base, int numGroups) ->
              (double) numGroups * mostActive(base, numClasses, Math.ceilDiv(batchSize, numGroups));
        };
    return Math.min(numClasses, Math.max(batchSize, Math.round(chosen)));
  }

  /**
   * All settings of the inverted file that a spec stands for, those that it leaves open included.
   *
   * @throws IllegalArgumentException when there are fewer classes than lists
   */
  static BinaryIvf.Settings indexSettings(SelectorSpec.Ivf spec, int numClasses, int batchSize) {
    return ClassIndexes.sizes(spec, numClasses, batchSize);
  }

  /**
   * Cuts a batch in groups of similar samples, as {@code groups(n)} does.
   *
   * @param embeddings packed, (batch, dim)
   * @param numGroups in smaller batches each sample is a group
   * @return the numbers of the samples of each group, ascending
   */
  static int[][] cut(Embeddings embeddings, int numGroups, ComputeBackend backend) {
    return SampleGroups.cut(embeddings, Math.min(numGroups, embeddings.size()), backend);
  }

  /** The selector that a spec stands for. */
  static ClassSelector of(SelectorSpec spec, SelectionProblem problem) {
    int numClasses = problem.weights().numClasses();
    return switch (spec) {
      case SelectorSpec.All _ -> (_, targets, _) -> ActiveClasses.all(numClasses, targets);
      case SelectorSpec.Uniform(double rate, boolean corrected) ->
          new UniformClasses(numClasses, rate, corrected, problem.seed());
      case SelectorSpec.ExactTop(int numActive) -> new ExactTopClasses(numActive, problem);
      case SelectorSpec.Ivf _, SelectorSpec.Forest _ -> IndexedClasses.of(spec, problem);
      case SelectorSpec.Auto auto -> new AutoClasses(auto, problem);
      case SelectorSpec.Neighbours neighbours ->
          new NeighbourClasses(ClassIndexes.of(neighbours, problem), neighbours, problem);
      case SelectorSpec.Curriculum(SelectorSpec base, int numSteps) -> {
        double rate = (double) mostActive(base, numClasses, 1) / numClasses;
        var uniform = new UniformClasses(numClasses, rate, true, problem.seed());
        yield new CurriculumClasses(uniform, of(base, problem), numSteps);
      }
      case SelectorSpec.Adaptive adaptive ->
          new AdaptiveClasses(IndexedClasses.of(adaptive.base(), problem), adaptive, problem);
      case SelectorSpec.WithTail(SelectorSpec base, double share) ->
          new TailedClasses(of(base, problem), numClasses, share, problem.seed());
      case SelectorSpec.WithGroups(SelectorSpec base, int numGroups) ->
          numGroups == 1 ? of(base, problem) : GroupedClasses.of(base, numGroups, problem);
    };
  }
}
