// SPDX-License-Identifier: Apache-2.0
package megaclass.optim;

import java.util.Arrays;
import megaclass.internal.SpecText;

/** The texts of optimizers and learning rates. */
final class OptimText {
  static final SpecText<OptimizerSpec> OPTIMIZERS =
      SpecText.<OptimizerSpec>of("optimizer")
          .form(
              "sgd(momentum=0.9, nesterov=false, decay=0, lazyDecay=exact)",
              "sgd(momentum=0.9, decay=1e-4)",
              a ->
                  new OptimizerSpec.Sgd(
                      a.number("momentum"),
                      a.flag("nesterov"),
                      a.number("decay"),
                      a.choice("lazyDecay", OptimizerSpec.LazyDecay.class)))
          .form(
              "adagrad(epsilon=1e-8)",
              "adagrad",
              a -> new OptimizerSpec.AdaGrad(a.number("epsilon")));

  static final SpecText<LearningRate> LEARNING_RATES =
      SpecText.<LearningRate>of("learning rate schedule")
          .form(
              "constant(warmup=0)", "constant", a -> new LearningRate.Constant(a.number("warmup")))
          .form("linear(warmup=0)", "linear", a -> new LearningRate.Linear(a.number("warmup")))
          .form(
              "cosine(warmup=0)",
              "cosine(warmup=0.05)",
              a -> new LearningRate.Cosine(a.number("warmup")))
          .form(
              "step(at, factor=0.1, warmup=0)",
              "step(at=0.5;0.75, factor=0.1)",
              a ->
                  new LearningRate.Step(
                      Arrays.stream(a.numbers("at")).boxed().toList(),
                      a.number("factor"),
                      a.number("warmup")))
          .form(
              "polynomial(power=2, warmup=0)",
              "polynomial(power=2, warmup=0.05)",
              a -> new LearningRate.Polynomial(a.number("power"), a.number("warmup")));

  private OptimText() {}
}
