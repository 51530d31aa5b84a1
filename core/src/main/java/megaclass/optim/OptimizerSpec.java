// SPDX-License-Identifier: Apache-2.0
package megaclass.optim;

import megaclass.internal.Check;
import megaclass.internal.SpecText;

/**
 * How a gradient moves a row. The learning rate is not part of it: see {@link LearningRate}.
 *
 * <p>The text, as in configurations and logs, is {@code sgd(momentum=0.9, nesterov=false, decay=0,
 * lazyDecay=exact)}; {@code parse(spec.toString())} equals the spec. Specs are immutable values.
 */
public sealed interface OptimizerSpec {

  /** What momentum and decay do to rows that a step does not touch. */
  enum LazyDecay {
    /** They move as in the dense optimizer, all missed steps at once before the row is used. */
    EXACT,
    /** They stay where they are, which changes the meaning of momentum and decay. */
    OFF
  }

  /**
   * Stochastic gradient descent: {@code v = momentum v + g + decay w}, {@code w = w - rate v}.
   *
   * @param momentum share of the velocity v that a step keeps, in [0, 1)
   * @param nesterov whether {@code w = w - rate (g + decay w + momentum v)} instead; needs momentum
   * @param decay pull of each weight towards 0, as a factor on the weight, in [0, 1]
   * @param lazyDecay what happens to rows that a step does not touch
   */
  record Sgd(double momentum, boolean nesterov, double decay, LazyDecay lazyDecay)
      implements OptimizerSpec {
    public Sgd {
      Check.inRightOpenRange("momentum", momentum, 0.0, 1.0);
      Check.inRange("decay", decay, 0.0, 1.0);
      if (nesterov && momentum == 0.0) {
        throw new IllegalArgumentException(
            "nesterov=true needs a momentum above 0, but momentum was 0.0");
      }
    }

    @Override
    public String toString() {
      return "sgd(momentum=%s, nesterov=%s, decay=%s, lazyDecay=%s)"
          .formatted(
              SpecText.text(momentum), nesterov, SpecText.text(decay), SpecText.text(lazyDecay));
    }
  }

  /**
   * AdaGrad with one accumulator a row (Duchi et al. 2011, by row): {@code a = a + mean(g^2)},
   * {@code w = w - rate g / (sqrt(a) + epsilon)}.
   *
   * @param epsilon keeps the quotient finite, above 0
   */
  record AdaGrad(double epsilon) implements OptimizerSpec {
    public AdaGrad {
      Check.positive("epsilon", epsilon);
    }

    @Override
    public String toString() {
      return "adagrad(epsilon=%s)".formatted(SpecText.text(epsilon));
    }
  }

  /**
   * Reads the text of an optimizer.
   *
   * @throws IllegalArgumentException when it is none of the forms, which the message lists
   */
  static OptimizerSpec parse(String text) {
    return OptimText.OPTIMIZERS.parse(text);
  }
}
