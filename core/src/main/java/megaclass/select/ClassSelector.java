// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;

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
   */
  static long sizeInBytes(SelectorSpec spec, int numClasses, int width) {
    return switch (spec) {
      case SelectorSpec.All _, SelectorSpec.Uniform _ -> 0;
      case SelectorSpec.ExactTop _ -> 12L * numClasses;
      case SelectorSpec.Ivf ivf -> IndexedClasses.sizeInBytes(ivf, numClasses, width);
      case SelectorSpec.WithTail(SelectorSpec base, double _) ->
          sizeInBytes(base, numClasses, width);
      case SelectorSpec.WithGroups(SelectorSpec base, int _) ->
          sizeInBytes(base, numClasses, width);
    };
  }

  /** Most classes that a batch of this size makes active, for the memory forecast. */
  static long mostActive(SelectorSpec spec, int numClasses, int batchSize) {
    double chosen =
        switch (spec) {
          case SelectorSpec.All _ -> numClasses;
          case SelectorSpec.Uniform(double rate, boolean _) -> rate * numClasses;
          case SelectorSpec.ExactTop(int numActive) -> numActive;
          case SelectorSpec.Ivf ivf -> ivf.rate() * numClasses;
          case SelectorSpec.WithTail(SelectorSpec base, double share) ->
              (1 + share) * mostActive(base, numClasses, batchSize);
          case SelectorSpec.WithGroups(SelectorSpec base, int numGroups) ->
              (double) numGroups * mostActive(base, numClasses, Math.ceilDiv(batchSize, numGroups));
        };
    return Math.min(numClasses, Math.max(batchSize, Math.round(chosen)));
  }

  /** The selector that a spec stands for. */
  static ClassSelector of(SelectorSpec spec, SelectionProblem problem) {
    int numClasses = problem.weights().numClasses();
    return switch (spec) {
      case SelectorSpec.All _ -> (_, targets, _) -> ActiveClasses.all(numClasses, targets);
      case SelectorSpec.Uniform(double rate, boolean corrected) ->
          new UniformClasses(numClasses, rate, corrected, problem.seed());
      case SelectorSpec.ExactTop(int numActive) -> new ExactTopClasses(numActive, problem);
      case SelectorSpec.Ivf ivf -> IndexedClasses.of(ivf, problem);
      case SelectorSpec.WithTail(SelectorSpec base, double share) ->
          new TailedClasses(of(base, problem), numClasses, share, problem.seed());
      case SelectorSpec.WithGroups(SelectorSpec base, int numGroups) ->
          numGroups == 1 ? of(base, problem) : new GroupedClasses(base, numGroups, problem);
    };
  }
}
