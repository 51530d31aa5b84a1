// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** CP_K by counting logits, beside sorted probabilities. */
class MassCurveTest {
  @ParameterizedTest
  @CsvSource({"1, 1", "5, 3", "129, 64", "1000, 40"})
  void itIsTheMassOfTheLargestClasses(int numClasses, int batch) {
    for (boolean normalised : new boolean[] {false, true}) {
      try (var problem = Problem.random(numClasses, 20, batch, 3)) {
        var curve = measured(problem, normalised);
        double[][] largest = probabilities(problem, normalised);
        for (int k = 1; k <= numClasses; k = 2 * k + 1) {
          assertEquals(mass(largest, k), curve.at(k), 0.01, "of " + k);
        }
        assertEquals(1, curve.at(numClasses), 1e-9);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.5, 0.9, 0.999})
  void theFewestClassesOfAMassAreFound(double mass) {
    try (var problem = Problem.random(1000, 20, 40, 3)) {
      var curve = measured(problem, true);
      int fewest = curve.fewest(mass, 1000);
      assertTrue(curve.at(fewest) >= mass, curve.at(fewest) + " with " + fewest);
      assertTrue(fewest == 1 || curve.at(fewest - 1) < mass, "one fewer is enough");
      assertEquals(3, curve.fewest(1, 3));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 130, 500})
  void whatSomeClassesHoldIsTheirProbability(int numActive) {
    try (var problem = Problem.random(500, 20, 40, 3)) {
      var curve = measured(problem, true);
      int[] ids = IntStream.range(0, numActive).map(i -> i * 500 / numActive).toArray();
      int[] targets = new int[40];
      Arrays.fill(targets, ids[0]);
      double[][] logits = logits(problem, true);
      double expected = 0;
      for (double[] of : logits) {
        double z = Arrays.stream(of).map(Math::exp).sum();
        expected += Arrays.stream(ids).mapToDouble(c -> Math.exp(of[c]) / z).sum() / 40;
      }
      var active = ActiveClasses.of(ids, null, targets);
      assertEquals(expected, curve.heldBy(active, problem.embeddings.panel(0)), 0.01);
    }
  }

  private static MassCurve measured(Problem problem, boolean normalised) {
    double scale = normalised ? 16 : 1;
    var of = new SelectionProblem(problem.weights, normalised, scale, 64, 1, problem.engine);
    var curve = new MassCurve(of);
    curve.measure(problem.embeddings.panel(0), 64); // another batch before
    curve.measure(problem.embeddings.panel(0), problem.targets.length);
    return curve;
  }

  private static double[][] logits(Problem problem, boolean normalised) {
    double[][] logits = new double[problem.targets.length][problem.weights.numClasses()];
    for (int sample = 0; sample < logits.length; sample++) {
      for (int c = 0; c < logits[sample].length; c++) {
        float[] weight = problem.weight(c);
        double product = 0;
        double squares = 0;
        for (int j = 0; j < weight.length; j++) {
          product += (double) weight[j] * problem.features[sample][j];
          squares += (double) weight[j] * weight[j];
        }
        logits[sample][c] = normalised ? 16 * product / Math.sqrt(squares) : product;
      }
    }
    return logits;
  }

  /** Of each sample, largest first. */
  private static double[][] probabilities(Problem problem, boolean normalised) {
    double[][] probabilities = logits(problem, normalised);
    for (double[] of : probabilities) {
      double z = Arrays.stream(of).map(Math::exp).sum();
      Arrays.setAll(of, c -> -Math.exp(of[c]) / z);
      Arrays.sort(of);
      Arrays.setAll(of, c -> -of[c]);
    }
    return probabilities;
  }

  private static double mass(double[][] largest, int k) {
    return Arrays.stream(largest)
        .mapToDouble(of -> Arrays.stream(of, 0, k).sum())
        .average()
        .orElseThrow();
  }
}
