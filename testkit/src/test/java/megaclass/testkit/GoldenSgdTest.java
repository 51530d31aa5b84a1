// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import megaclass.loss.Loss;
import megaclass.loss.LossDefinition;
import megaclass.loss.LossDefinition.Head;
import megaclass.loss.LossDefinition.Result;
import megaclass.optim.CatchUp;
import megaclass.optim.OptimizerSpec.LazyDecay;
import megaclass.optim.OptimizerSpec.Sgd;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Scale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GoldenSgdTest {
  static List<GoldenSgd.Run> runs() {
    return GoldenSgd.read();
  }

  @Test
  void thereAreFourTrainings() {
    assertEquals(
        List.of("plain", "momentum", "momentum+decay", "nesterov+decay"),
        runs().stream().map(GoldenSgd.Run::name).toList());
  }

  @ParameterizedTest
  @MethodSource("runs")
  void definitionAndDenseSgdGoThroughTheSameTraining(GoldenSgd.Run run) {
    double[][] weights = copy(run.initialWeights());
    var sgd = new DenseSgd(run.optimizer(), weights);
    for (GoldenSgd.Step step : run.steps()) {
      Result result = lossAndGradient(step, weights);
      assertEquals(step.loss(), result.meanLoss(), 1e-12);
      sgd.step(result.weightGradients(), run.learningRate());
    }
    assertRowsEqual(run.finalWeights(), weights, 1e-12);
  }

  @ParameterizedTest
  @MethodSource("runs")
  void rowsThatCatchUpLazilyGoThroughTheSameTraining(GoldenSgd.Run run) {
    double[][] weights = copy(run.initialWeights());
    var sgd = new LazySgd(run.optimizer(), weights);
    for (GoldenSgd.Step step : run.steps()) {
      sgd.catchUp(step.active().classIds());
      Result result = lossAndGradient(step, weights);
      assertEquals(step.loss(), result.meanLoss(), 1e-12);
      sgd.step(step.active().classIds(), result.weightGradients(), run.learningRate());
    }
    sgd.catchUpAll();
    assertRowsEqual(run.finalWeights(), weights, 1e-12);
  }

  @Property(tries = 100)
  void lazyCatchUpEqualsDenseSgdWhateverTheRatesAndTheTouchedRows(
      @ForAll @Scale(6) @DoubleRange(min = 0.001, max = 0.99) double momentum,
      @ForAll @Scale(6) @DoubleRange(min = 0, max = 0.05) double decay,
      @ForAll boolean nesterov,
      @ForAll long seed) {
    int numRows = 12;
    int dim = 3;
    var random = new Random(seed);
    var sgd = new Sgd(momentum, nesterov, decay, LazyDecay.EXACT);
    double[][] dense = rows(random, numRows, dim);
    double[][] lazy = copy(dense);
    var denseSgd = new DenseSgd(sgd, dense);
    var lazySgd = new LazySgd(sgd, lazy);
    for (int step = 0; step < 200; step++) {
      double learningRate = random.nextDouble(0.0, 0.3);
      int[] touched = random.ints(0, numRows).distinct().limit(2).toArray();
      double[][] gradients = new double[numRows][dim];
      for (int row : touched) {
        gradients[row] = random.doubles(dim, -1, 1).toArray();
      }
      denseSgd.step(gradients, learningRate);
      lazySgd.catchUp(touched);
      lazySgd.step(touched, gradients, learningRate);
    }
    lazySgd.catchUpAll();
    double largest =
        Stream.of(dense).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElse(0);
    assertRowsEqual(dense, lazy, 1e-12 * Math.max(1, largest));
  }

  /** SGD that moves only the rows touched, each after it caught up with the steps it missed. */
  private static final class LazySgd {
    private final Sgd sgd;
    private final double[][] weights;
    private final double[][] velocities;
    private final long[] stepsDone;
    private final CatchUp missed;

    LazySgd(Sgd sgd, double[][] weights) {
      this.sgd = sgd;
      this.weights = weights;
      this.velocities = new double[weights.length][weights[0].length];
      this.stepsDone = new long[weights.length];
      this.missed = new CatchUp(sgd);
    }

    void catchUp(int... rows) {
      double[] a = new double[4];
      for (int row : rows) {
        missed.product(stepsDone[row], missed.numSteps(), a);
        for (int k = 0; k < weights[row].length; k++) {
          double v = velocities[row][k];
          double w = weights[row][k];
          velocities[row][k] = a[0] * v + a[1] * w;
          weights[row][k] = a[2] * v + a[3] * w;
        }
        stepsDone[row] = missed.numSteps();
      }
    }

    void catchUpAll() {
      for (int row = 0; row < weights.length; row++) {
        catchUp(row);
      }
    }

    void step(int[] rows, double[][] gradients, double learningRate) {
      missed.advance(learningRate);
      for (int row : rows) {
        DenseSgd.stepRow(sgd, weights[row], velocities[row], gradients[row], learningRate);
        stepsDone[row] = missed.numSteps();
      }
    }
  }

  private static Result lossAndGradient(GoldenSgd.Step step, double[][] weights) {
    return LossDefinition.lossAndGradient(
        Loss.softmax(), step.batch(), new Head(weights, new double[0]), step.active());
  }

  private static void assertRowsEqual(double[][] expected, double[][] actual, double tolerance) {
    assertEquals(expected.length, actual.length);
    for (int row = 0; row < expected.length; row++) {
      assertArrayEquals(expected[row], actual[row], tolerance, "row " + row);
    }
  }

  private static double[][] copy(double[][] rows) {
    return Arrays.stream(rows).map(double[]::clone).toArray(double[][]::new);
  }

  private static double[][] rows(Random random, int numRows, int dim) {
    return Stream.generate(() -> random.doubles(dim, -1, 1).toArray())
        .limit(numRows)
        .toArray(double[][]::new);
  }
}
