// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import megaclass.internal.Check;
import megaclass.internal.SpecText;

/**
 * How the parameters of a {@link BackboneSpec.Network} move, all of them in each step. Weight decay
 * leaves out biases and the scale and shift of normalisations.
 *
 * <p>The text, as in configurations and logs, is {@code sgd(momentum=0.9, nesterov=false,
 * decay=5e-4)}; {@code parse(spec.toString())} equals the spec. Specs are immutable values.
 */
public sealed interface NetworkOptimizer {

  /**
   * Stochastic gradient descent: {@code v = momentum v + g + decay w}, {@code w = w - rate v}.
   *
   * @param momentum share of the velocity v that a step keeps, in [0, 1)
   * @param nesterov whether {@code w = w - rate (g + decay w + momentum v)} instead
   * @param decay pull of each weight towards 0, as a factor on the weight, in [0, 1]
   */
  record Sgd(double momentum, boolean nesterov, double decay) implements NetworkOptimizer {
    public Sgd {
      Check.inRightOpenRange("momentum", momentum, 0.0, 1.0);
      Check.inRange("decay", decay, 0.0, 1.0);
    }

    @Override
    public String toString() {
      return "sgd(momentum=%s, nesterov=%s, decay=%s)"
          .formatted(SpecText.text(momentum), nesterov, SpecText.text(decay));
    }
  }

  /**
   * Adam (Kingma and Ba 2015) with decay beside the gradient (AdamW: Loshchilov and Hutter 2019):
   * {@code w = w - rate (m / (sqrt(v) + epsilon) + decay w)}, m and v corrected for their start at
   * 0.
   *
   * @param beta1 share of the mean gradient m that a step keeps, in [0, 1)
   * @param beta2 share of the mean squared gradient v that a step keeps, in [0, 1)
   * @param epsilon above 0
   * @param decay pull of each weight towards 0, as a factor on the weight, in [0, 1]
   */
  record Adam(double beta1, double beta2, double epsilon, double decay)
      implements NetworkOptimizer {
    public Adam {
      Check.inRightOpenRange("beta1", beta1, 0.0, 1.0);
      Check.inRightOpenRange("beta2", beta2, 0.0, 1.0);
      Check.positive("epsilon", epsilon);
      Check.inRange("decay", decay, 0.0, 1.0);
    }

    @Override
    public String toString() {
      return "adam(beta1=%s, beta2=%s, epsilon=%s, decay=%s)"
          .formatted(
              SpecText.text(beta1),
              SpecText.text(beta2),
              SpecText.text(epsilon),
              SpecText.text(decay));
    }
  }

  /**
   * Reads the text of an optimizer.
   *
   * @throws IllegalArgumentException when it is none of the forms, which the message lists
   */
  static NetworkOptimizer parse(String text) {
    return BackboneText.OPTIMIZERS.parse(text);
  }
}
