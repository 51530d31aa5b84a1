// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import megaclass.compute.Engine;
import megaclass.weights.ClassWeights;

/**
 * What a selector chooses for.
 *
 * @param weights the classes to choose from
 * @param normalised whether logits are cosines times {@code scale}, or else inner products
 * @param scale of cosines; 1 for inner products
 * @param batchSize samples of a batch, at most
 * @param seed everything random follows from it
 * @param engine what to compute with
 */
public record SelectionProblem(
    ClassWeights weights,
    boolean normalised,
    double scale,
    int batchSize,
    long seed,
    Engine engine) {

  /** The same for smaller batches. */
  SelectionProblem withBatchSize(int size) {
    return new SelectionProblem(weights, normalised, scale, size, seed, engine);
  }
}
