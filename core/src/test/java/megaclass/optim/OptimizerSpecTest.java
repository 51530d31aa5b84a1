// SPDX-License-Identifier: Apache-2.0
package megaclass.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import megaclass.optim.OptimizerSpec.AdaGrad;
import megaclass.optim.OptimizerSpec.LazyDecay;
import megaclass.optim.OptimizerSpec.Sgd;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class OptimizerSpecTest {
  private static final String FORMS =
      """
      ; expected one of
        sgd(momentum=0.9, nesterov=false, decay=0, lazyDecay=exact)  e.g. sgd(momentum=0.9, decay=1e-4)
        adagrad(epsilon=1e-8)                                        e.g. adagrad\
      """;

  @Property
  void everyOptimizerReadsBackFromItsText(@ForAll("optimizers") OptimizerSpec spec) {
    assertEquals(spec, OptimizerSpec.parse(spec.toString()));
  }

  @Provide
  Arbitrary<OptimizerSpec> optimizers() {
    var momenta = Arbitraries.doubles().between(0.0, false, 1.0, false).ofScale(12);
    var decays = Arbitraries.doubles().between(0.0, 1.0).ofScale(12);
    var epsilons = Arbitraries.doubles().between(1e-12, 1.0).ofScale(12);
    return Arbitraries.oneOf(
        Combinators.combine(
                momenta, Arbitraries.of(true, false), decays, Arbitraries.of(LazyDecay.class))
            .as(Sgd::new),
        Arbitraries.of(new Sgd(0, false, 0, LazyDecay.OFF)),
        epsilons.map(AdaGrad::new));
  }

  @Test
  void textsAreCanonicalWithEveryParameter() {
    assertEquals(
        "sgd(momentum=0.9, nesterov=false, decay=0, lazyDecay=exact)",
        OptimizerSpec.parse("sgd").toString());
    assertEquals(
        "sgd(momentum=0.5, nesterov=true, decay=1e-4, lazyDecay=off)",
        OptimizerSpec.parse("sgd(0.5, true, 0.0001, off)").toString());
    assertEquals("adagrad(epsilon=1e-8)", OptimizerSpec.parse("adagrad").toString());
  }

  @Test
  void unknownOptimizersAreAnsweredWithTheForms() {
    assertMessage(
        "cannot read optimizer \"adam\": unknown name \"adam\" at character 1" + FORMS,
        () -> OptimizerSpec.parse("adam"));
  }

  @Test
  void parametersOutsideTheirRangeAreNamed() {
    assertMessage(
        "momentum must be in [0.0, 1.0), but was 1.0", () -> new Sgd(1, false, 0, LazyDecay.EXACT));
    assertMessage(
        "decay must be in [0.0, 1.0], but was -0.1",
        () -> new Sgd(0.9, false, -0.1, LazyDecay.EXACT));
    assertMessage(
        "nesterov=true needs a momentum above 0, but momentum was 0.0",
        () -> new Sgd(0, true, 0, LazyDecay.EXACT));
    assertMessage("epsilon must be a finite number above 0, but was 0.0", () -> new AdaGrad(0));
  }

  private static void assertMessage(String expected, Executable action) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, action).getMessage());
  }
}
