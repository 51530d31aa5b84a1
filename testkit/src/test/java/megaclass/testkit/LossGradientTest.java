// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.loss.Loss;
import megaclass.loss.LossDefinition;
import megaclass.loss.LossDefinition.Active;
import megaclass.loss.LossDefinition.Batch;
import megaclass.loss.LossDefinition.Head;
import megaclass.loss.LossDefinition.Result;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class LossGradientTest {
  private static final int DIM = 6;
  private static final int NUM_CLASSES = 9;

  /** Classes 1 to 3 are left out; classes 7 and 8 are a tail that stands for them too. */
  private static final Active ACTIVE =
      new Active(new int[] {4, 0, 6, 5, 8, 7}, new double[] {0, 0, 0, 0, 0.9, 0.9});

  private record Problem(Batch batch, Head head) {}

  @Provide
  Arbitrary<Loss> smoothLosses() {
    return Arbitraries.of(
            "softmax",
            "softmax(bias=true)",
            "normsoftmax(scale=16)",
            "cosface(scale=64, margin=0.4)",
            "cosface(scale=30, margin=0.2)",
            "arcface(scale=64, margin=0.5)",
            "arcface(scale=16, margin=0.3)",
            "arcface(scale=8, margin=1.5)",
            "dsoftmax(scale=64, d=0.9)",
            "dsoftmax(scale=16, d=0.5)")
        .map(Loss::parse);
  }

  @Property(tries = 300)
  void gradientsByAllOperandsMatchCentralDifferences(
      @ForAll("smoothLosses") Loss loss, @ForAll long seed) {
    Problem problem = problem(loss, seed, 3);
    Assume.that(isSmooth(loss, problem));
    Batch batch = problem.batch();
    Head head = problem.head();
    Result result = LossDefinition.lossAndGradient(loss, batch, head, ACTIVE);
    DoubleSupplier meanLoss =
        () -> LossDefinition.lossAndGradient(loss, batch, head, ACTIVE).meanLoss();

    var checker = GradientChecker.standard();
    checker.check("features", meanLoss, batch.features(), result.featureGradients());
    checker.check("weights", meanLoss, head.weights(), result.weightGradients());
    checker.check(
        "bias", meanLoss, new double[][] {head.bias()}, new double[][] {result.biasGradients()});
  }

  /**
   * The straight-through gradient treats the margin's effect on the target as a constant, and a
   * constant taken off the cosine is what CosFace is.
   */
  @Property(tries = 100)
  void straightThroughIsTheGradientOfTheShiftThatTheMarginMakesHere(@ForAll long seed) {
    Loss straight = Loss.parse("arcface(scale=16, margin=0.5, backward=straight-through)");
    Problem problem = problem(straight, seed, 1);
    double cosine = cosineOfTarget(problem, 0);
    double shift = cosine - straight.targetLogit(cosine) / 16;
    Result expected =
        LossDefinition.lossAndGradient(
            Loss.cosFace(16, shift), problem.batch(), problem.head(), ACTIVE);
    Result actual =
        LossDefinition.lossAndGradient(straight, problem.batch(), problem.head(), ACTIVE);
    assertEquals(expected.meanLoss(), actual.meanLoss(), 1e-12);
    assertArrayEquals(expected.featureGradients()[0], actual.featureGradients()[0], 1e-12);
    for (int classId = 0; classId < NUM_CLASSES; classId++) {
      assertArrayEquals(
          expected.weightGradients()[classId], actual.weightGradients()[classId], 1e-12);
    }
  }

  /** ArcFace jumps where the fallback begins, and is steeper than differences can follow near 1. */
  private static boolean isSmooth(Loss loss, Problem problem) {
    return !(loss instanceof Loss.ArcFace(double _, double margin, Loss.Backward _))
        || IntStream.range(0, problem.batch().features().length)
            .mapToDouble(i -> cosineOfTarget(problem, i))
            .allMatch(cosine -> cosine < 0.99 && Math.abs(cosine + Math.cos(margin)) > 1e-4);
  }

  private static double cosineOfTarget(Problem problem, int example) {
    double[] x = problem.batch().features()[example];
    double[] w = problem.head().weights()[problem.batch().classIds()[example]];
    return dot(x, w) / Math.sqrt(dot(x, x) * dot(w, w));
  }

  private static double dot(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(k -> a[k] * b[k]).sum();
  }

  private static Problem problem(Loss loss, long seed, int batchSize) {
    var random = new Random(seed);
    int[] targets = random.ints(batchSize, 0, 4).map(j -> ACTIVE.classIds()[j]).toArray();
    double[] bias = loss.bias() ? random.doubles(NUM_CLASSES, -1, 1).toArray() : new double[0];
    return new Problem(
        new Batch(rows(random, batchSize), targets), new Head(rows(random, NUM_CLASSES), bias));
  }

  private static double[][] rows(Random random, int numRows) {
    return Stream.generate(() -> random.doubles(DIM, -1, 1).toArray())
        .limit(numRows)
        .toArray(double[][]::new);
  }
}
