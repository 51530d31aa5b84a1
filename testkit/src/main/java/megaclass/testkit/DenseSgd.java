// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import megaclass.optim.OptimizerSpec.Sgd;

/**
 * SGD that moves every row in every step, in double precision: the definition that a row-sparse
 * optimizer has to equal. Not safe for use by several threads.
 */
public final class DenseSgd {
  private final Sgd sgd;
  private final double[][] weights;
  private final double[][] velocities;

  /**
   * Takes over weights, with all velocities 0.
   *
   * @param weights (numRows, dim), changed by each step
   */
  public DenseSgd(Sgd sgd, double[][] weights) {
    this.sgd = sgd;
    this.weights = weights;
    this.velocities = new double[weights.length][weights[0].length];
  }

  /**
   * Moves all rows.
   *
   * @param gradients (numRows, dim)
   */
  public void step(double[][] gradients, double learningRate) {
    for (int row = 0; row < weights.length; row++) {
      stepRow(sgd, weights[row], velocities[row], gradients[row], learningRate);
    }
  }

  /**
   * Moves one row.
   *
   * @param weight (dim), changed
   * @param velocity (dim), changed
   * @param gradient (dim)
   */
  static void stepRow(
      Sgd sgd, double[] weight, double[] velocity, double[] gradient, double learningRate) {
    for (int k = 0; k < weight.length; k++) {
      double g = gradient[k] + sgd.decay() * weight[k];
      velocity[k] = sgd.momentum() * velocity[k] + g;
      double move = sgd.nesterov() ? g + sgd.momentum() * velocity[k] : velocity[k];
      weight[k] -= learningRate * move;
    }
  }
}
