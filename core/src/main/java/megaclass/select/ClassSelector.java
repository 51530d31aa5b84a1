// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.weights.ClassWeights;

/**
 * Chooses the classes that a mini-batch sees.
 *
 * <p>What is chosen depends on the batch, the weights, the seed and the step, and on nothing else:
 * not on threads, and not on earlier calls, so that a resumed run chooses the same. Not
 * thread-safe, but may work with all threads itself.
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

  @Override
  default void close() {}

  /** The selector that a text stands for, over these weights. */
  static ClassSelector of(
      SelectorSpec spec, ClassWeights weights, boolean normalised, long seed, Engine engine) {
    int numClasses = weights.numClasses();
    return switch (spec) {
      case SelectorSpec.All _ -> (_, targets, _) -> ActiveClasses.all(numClasses, targets);
      case SelectorSpec.Uniform(double rate, boolean corrected) ->
          new UniformClasses(numClasses, rate, corrected, seed);
      case SelectorSpec.ExactTop(int numActive) ->
          new ExactTopClasses(weights, normalised, numActive, engine);
      case SelectorSpec.WithTail(SelectorSpec base, double share) ->
          new TailedClasses(of(base, weights, normalised, seed, engine), numClasses, share, seed);
    };
  }
}
