// SPDX-License-Identifier: Apache-2.0
package megaclass.head;

import megaclass.compute.Engine;
import megaclass.select.SelectionProblem;
import megaclass.weights.ClassWeights;

/**
 * What a head is made for.
 *
 * @param settings of the run
 * @param weights the class weights on the host, with what the optimizer keeps of each: lent
 * @param seed of what is random in the choice of classes
 * @param engine what the host computes with
 */
public record HeadProblem(HeadSettings settings, ClassWeights weights, long seed, Engine engine) {
  /** The same with other rows. */
  public HeadProblem withWeights(ClassWeights others) {
    return new HeadProblem(settings, others, seed, engine);
  }

  /** The choice of classes, for a selector on the host. */
  SelectionProblem selection() {
    boolean normalised = settings.loss().normalised();
    return new SelectionProblem(
        weights,
        normalised,
        normalised ? settings.loss().scale() : 1,
        settings.batchSize(),
        seed,
        engine);
  }
}
