// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.loss.Loss;
import megaclass.loss.LossDefinition.Head;
import megaclass.optim.SparseOptimizer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The golden values of another implementation, held against what a training step really computes:
 * float32, tiles, rows that move only when they are touched.
 */
class GoldenFloat32Test {
  /** Relative to the largest value of an array, since single entries may cancel to nearly 0. */
  private static final double RELATIVE = 1e-5;

  private static final List<String> BACKENDS = List.of("scalar", "auto");

  static Stream<Object[]> cases() {
    return withBackends(GoldenLosses.read());
  }

  static Stream<Object[]> runs() {
    return withBackends(GoldenSgd.read());
  }

  private static Stream<Object[]> withBackends(List<?> goldens) {
    return goldens.stream()
        .flatMap(golden -> BACKENDS.stream().map(name -> new Object[] {golden, name}));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theTiledHeadAgreesWithAutograd(GoldenLosses.Case golden, String backend) {
    var expected = golden.expected();
    int batchSize = golden.batch().classIds().length;
    try (var engine = Engine.start(backend, 2);
        var head =
            new Float32Head(
                golden.loss(), golden.head(), batchSize, RowMatrix.State.NONE, engine)) {
      double mean = head.forward(golden.batch(), golden.active());
      assertEquals(expected.meanLoss(), mean, RELATIVE * expected.meanLoss());
      double[] losses = IntStream.range(0, batchSize).mapToDouble(head::exampleLoss).toArray();
      assertClose("losses", expected.losses(), losses);

      double[][] gradients = head.weightGradients();
      int dim = golden.head().weights()[0].length;
      double[][] byWeights =
          Stream.of(gradients).map(row -> Arrays.copyOf(row, dim)).toArray(double[][]::new);
      assertClose("weights", flat(expected.weightGradients()), flat(byWeights));
      assertClose("features", flat(expected.featureGradients()), flat(head.featureGradients()));
      assertEquals(golden.loss().bias() ? dim + 1 : dim, gradients[0].length);
      if (golden.loss().bias()) {
        double[] byBias = Stream.of(gradients).mapToDouble(row -> row[dim]).toArray();
        assertClose("bias", expected.biasGradients(), byBias);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("runs")
  void rowSparseTrainingGoesWhereDenseTrainingWent(GoldenSgd.Run run, String backend) {
    var spec = run.optimizer();
    var start = new Head(run.initialWeights(), new double[0]);
    int batchSize =
        run.steps().stream().mapToInt(step -> step.batch().classIds().length).max().orElseThrow();
    try (var engine = Engine.start(backend, 2);
        var head =
            new Float32Head(
                Loss.softmax(), start, batchSize, SparseOptimizer.stateFor(spec), engine)) {
      var optimizer = new SparseOptimizer(spec, head.weights(), engine);
      for (GoldenSgd.Step step : run.steps()) {
        int[] classIds = step.active().classIds();
        optimizer.beginStep(run.learningRate());
        optimizer.catchUp(classIds.length, i -> classIds[i], engine.workers());
        double loss = head.forward(step.batch(), step.active());
        assertEquals(step.loss(), loss, RELATIVE * step.loss());
        head.backward(optimizer);
        optimizer.endStep();
      }
      boolean behind = optimizer.needsCatchUp() && someRowIsBehind(head.weights(), run);
      assertEquals(spec.momentum() > 0 || spec.decay() > 0, behind, "or there is nothing to see");
      optimizer.catchUpAll(engine.workers());
      assertClose("weights", flat(run.finalWeights()), flat(Float32Head.values(head.weights())));
    }
  }

  private static boolean someRowIsBehind(RowMatrix weights, GoldenSgd.Run run) {
    return IntStream.range(0, weights.numRows())
        .anyMatch(row -> weights.lastStep(row) < run.steps().size());
  }

  private static void assertClose(String what, double[] expected, double[] actual) {
    double largest = DoubleStream.of(expected).map(Math::abs).max().orElseThrow();
    assertTrue(largest > 0, what);
    assertArrayEquals(expected, actual, RELATIVE * largest, what);
  }

  private static double[] flat(double[][] rows) {
    return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
  }
}
