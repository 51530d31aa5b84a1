// SPDX-License-Identifier: Apache-2.0
package megaclass.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import megaclass.optim.LearningRate.Constant;
import megaclass.optim.LearningRate.Cosine;
import megaclass.optim.LearningRate.Linear;
import megaclass.optim.LearningRate.Polynomial;
import megaclass.optim.LearningRate.Step;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class LearningRateTest {
  private static final String FORMS =
      """
      ; expected one of
        constant(warmup=0)              e.g. constant
        linear(warmup=0)                e.g. linear
        cosine(warmup=0)                e.g. cosine(warmup=0.05)
        step(AT, factor=0.1, warmup=0)  e.g. step(at=0.5;0.75, factor=0.1)
        polynomial(power=2, warmup=0)   e.g. polynomial(power=2, warmup=0.05)\
      """;

  @Property
  void everyScheduleReadsBackFromItsText(@ForAll("schedules") LearningRate schedule) {
    assertEquals(schedule, LearningRate.parse(schedule.toString()));
  }

  @Property
  void factorsLieBetweenZeroAndOneAndFallAfterTheWarmup(
      @ForAll("schedules") LearningRate schedule,
      @ForAll @LongRange(min = 1, max = 500) long steps) {
    long warmup = Math.round(schedule.warmup() * steps);
    double before = 0.0;
    for (long step = 0; step <= steps; step++) {
      double factor = schedule.factor(step, steps);
      assertTrue(factor >= 0.0 && factor <= 1.0, () -> schedule + " gives " + factor);
      assertTrue(
          step < steps ? factor > 0.0 || schedule instanceof Polynomial : true,
          () -> schedule + " wastes a step");
      double last = before;
      assertTrue(
          step <= warmup ? factor >= last || schedule instanceof Step : factor <= last,
          () -> schedule + " goes from " + last + " to " + factor);
      before = factor;
    }
  }

  @Provide
  Arbitrary<LearningRate> schedules() {
    var shares = Arbitraries.doubles().between(0.0, 1.0).ofScale(9);
    var factors = Arbitraries.doubles().between(0.0, false, 1.0, true).ofScale(9);
    var powers = Arbitraries.doubles().between(0.1, 10.0).ofScale(9);
    var milestones =
        Arbitraries.doubles()
            .between(0.0, false, 1.0, false)
            .ofScale(9)
            .set()
            .ofMinSize(1)
            .ofMaxSize(4)
            .map(set -> set.stream().sorted().toList());
    return Arbitraries.oneOf(
        shares.map(Constant::new),
        shares.map(Linear::new),
        shares.map(Cosine::new),
        Combinators.combine(milestones, factors, shares).as(Step::new),
        Combinators.combine(powers, shares).as(Polynomial::new));
  }

  @Test
  void textsAreCanonicalWithEveryParameter() {
    assertEquals("constant(warmup=0)", LearningRate.parse("constant").toString());
    assertEquals("linear(warmup=0.1)", LearningRate.parse("linear(0.1)").toString());
    assertEquals("cosine(warmup=0)", LearningRate.parse("cosine").toString());
    assertEquals(
        "step(at=0.5;0.75, factor=0.1, warmup=0)", LearningRate.parse("step(.5 ; .75)").toString());
    assertEquals("polynomial(power=2, warmup=0)", LearningRate.parse("polynomial").toString());
  }

  @Test
  void theWarmupRisesInEqualPartsToTheFullRate() {
    var schedule = LearningRate.parse("linear(warmup=0.4)");
    assertEquals(List.of(0.25, 0.5, 0.75, 1.0), factors(schedule, 10).subList(0, 4));
    assertEquals(1.0, schedule.factor(4, 10));
  }

  @Test
  void eachScheduleFollowsItsShape() {
    assertEquals(List.of(1.0, 1.0, 1.0, 1.0, 1.0), factors(LearningRate.parse("constant"), 4));
    assertEquals(List.of(1.0, 0.75, 0.5, 0.25, 0.0), factors(LearningRate.parse("linear"), 4));
    assertEquals(
        List.of(1.0, 0.5625, 0.25, 0.0625, 0.0), factors(LearningRate.parse("polynomial(2)"), 4));
    assertEquals(
        List.of(1.0, 1.0, 0.5, 0.25, 0.25),
        factors(LearningRate.parse("step(0.5;0.75, factor=0.5)"), 4));
    var cosine = LearningRate.parse("cosine");
    assertEquals(1.0, cosine.factor(0, 4));
    assertEquals((1 + Math.sqrt(0.5)) / 2, cosine.factor(1, 4), 1e-15);
    assertEquals(0.5, cosine.factor(2, 4), 1e-15);
    assertEquals(0.0, cosine.factor(4, 4));
  }

  @Test
  void unknownSchedulesAreAnsweredWithTheForms() {
    assertMessage(
        "cannot read learning rate schedule \"exponential\": unknown name \"exponential\""
            + " at character 1"
            + FORMS,
        () -> LearningRate.parse("exponential"));
  }

  @Test
  void parametersOutsideTheirRangeAreNamed() {
    String warmup = "warmup must be in [0.0, 1.0], but was 5.0";
    assertMessage(warmup, () -> new Constant(5));
    assertMessage(warmup, () -> new Linear(5));
    assertMessage(warmup, () -> new Cosine(5));
    assertMessage(warmup, () -> new Polynomial(1, 5));
    assertMessage(warmup, () -> new Step(List.of(0.5), 0.1, 5));
    assertMessage("power must be a finite number above 0, but was 0.0", () -> new Polynomial(0, 0));
    assertMessage("factor must be in (0.0, 1.0], but was 0.0", () -> new Step(List.of(0.5), 0, 0));
    assertMessage(
        "at must be shares of all steps that rise between 0 and 1, but was 0.75;0.5",
        () -> new Step(List.of(0.75, 0.5), 0.1, 0));
    assertMessage(
        "at must be shares of all steps that rise between 0 and 1, but was 0.5;1",
        () -> new Step(List.of(0.5, 1.0), 0.1, 0));
    assertMessage(
        "at must be shares of all steps that rise between 0 and 1, but was none",
        () -> new Step(List.of(), 0.1, 0));
  }

  @Test
  void stepsOutsideTheRunAreNamed() {
    var schedule = LearningRate.parse("constant");
    assertMessage("step must be in [0, 10], but was 11", () -> schedule.factor(11, 10));
    assertMessage("step must be in [0, 10], but was -1", () -> schedule.factor(-1, 10));
    assertMessage("totalSteps must be at least 1, but was 0", () -> schedule.factor(0, 0));
  }

  private static List<Double> factors(LearningRate schedule, int totalSteps) {
    return IntStream.rangeClosed(0, totalSteps)
        .mapToObj(step -> schedule.factor(step, totalSteps))
        .toList();
  }

  private static void assertMessage(String expected, Executable action) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, action).getMessage());
  }
}
