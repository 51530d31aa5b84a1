// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;

/**
 * Chooses the classes that a mini-batch sees.
 *
 * <p>What is chosen depends on the batch, the weights, the seed and the step, and on nothing else:
 * not on threads. A selector that learns as the run goes on keeps what it learned in {@link
 * #state}, so that a resumed run chooses the same. Not thread-safe, but may work with all threads
 * itself.
 */
public interface ClassSelector extends AutoCloseable {
  /**
   * Chooses the active classes of a batch.
   *
   * @param embeddings packed, (batch, dim)
   * @param targets class id of each sample, (batch); all of them become active
   * @param step number of the step, from 0
   */
  ActiveClasses select(Embeddings embeddings, int[] targets, long step);

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
   * Steps since what serves was built; 0 when it follows the weights.
   *
   * @param step number of the next step, from 0
   */
  default long age(long step) {
    return 0;
  }

  /**
   * Mean relative movement of class weights since what serves was built; 0 when it follows them.
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
   */
  static long sizeInBytes(SelectorSpec spec, int numClasses, int width) {
    return switch (spec) {
      case SelectorSpec.All _, SelectorSpec.Uniform _ -> 0;
      case SelectorSpec.ExactTop _ -> 12L * numClasses;
      case SelectorSpec.Ivf ivf -> IndexedClasses.sizeInBytes(ivf, numClasses, width);
      case SelectorSpec.WithTail(SelectorSpec base, double _) ->
          sizeInBytes(base, numClasses, width);
    };
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
    };
  }
}
