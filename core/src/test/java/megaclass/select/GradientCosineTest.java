// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Gradients of choices by tiles, beside plain loops over the softmax. */
class GradientCosineTest {
  private static final double SCALE = 16;

  @ParameterizedTest
  @CsvSource({"2, 1, 1", "5, 3, 2", "129, 20, 7", "1000, 33, 64", "4000, 16, 40"})
  void itIsTheCosineOfTheDefinition(int numClasses, int dim, int batch) {
    for (boolean normalised : new boolean[] {false, true}) {
      try (var problem = Problem.random(numClasses, dim, batch, 3);
          var uniform = problem.selector("uniform(0.3, corrected=true)", normalised, 1)) {
        uniform.begin();
        ActiveClasses active = problem.select(uniform, 0);
        double[] products = new double[3];
        for (int i = 0; i < batch; i++) {
          int[] targets = problem.targets;
          double[] full = gradient(problem, normalised, i, ActiveClasses.all(numClasses, targets));
          double[] chosen = gradient(problem, normalised, i, active);
          products[0] += dot(full, chosen);
          products[1] += dot(full, full);
          products[2] += dot(chosen, chosen);
        }
        double lengths = Math.sqrt(products[1] * products[2]);
        double expected = lengths == 0 ? 1 : products[0] / lengths;
        assertEquals(expected, measured(problem, normalised, active), 1e-3);
      }
    }
  }

  @Test
  void allClassesPointWhereAllClassesDo() {
    try (var problem = Problem.random(300, 20, 30, 3)) {
      assertEquals(1, measured(problem, true, ActiveClasses.all(300, problem.targets)), 1e-6);
    }
  }

  private static double measured(Problem problem, boolean normalised, ActiveClasses active) {
    var of =
        new SelectionProblem(
            problem.weights, normalised, normalised ? SCALE : 1, 64, 1, problem.engine);
    var cosine = new GradientCosine(of);
    long panel = problem.embeddings.panel(0);
    cosine.measure(panel, new int[64]); // another batch before
    cosine.measure(panel, problem.targets);
    return cosine.of(active, panel, problem.targets);
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int j = 0; j < a.length; j++) {
      sum += a[j] * b[j];
    }
    return sum;
  }

  /** Gradient of log sum exp minus the target's logit by the embedding, which keeps its length. */
  private static double[] gradient(
      Problem problem, boolean normalised, int sample, ActiveClasses active) {
    float[] x = problem.features[sample];
    var logits = new double[active.numActive()];
    var weights = new double[active.numActive()][];
    for (int k = 0; k < logits.length; k++) {
      weights[k] = weight(problem, normalised, active.classId(k));
      logits[k] = active.logWeight(k);
      for (int j = 0; j < x.length; j++) {
        logits[k] += weights[k][j] * x[j];
      }
    }
    double z = Arrays.stream(logits).map(Math::exp).sum();
    double[] target = weight(problem, normalised, problem.targets[sample]);
    var gradient = new double[x.length];
    double along = 0;
    double squares = 0;
    for (int j = 0; j < x.length; j++) {
      for (int k = 0; k < logits.length; k++) {
        gradient[j] += Math.exp(logits[k]) / z * weights[k][j];
      }
      gradient[j] -= target[j];
      along += gradient[j] * x[j];
      squares += (double) x[j] * x[j];
    }
    for (int j = 0; j < x.length && normalised; j++) {
      gradient[j] -= along / squares * x[j];
    }
    return gradient;
  }

  private static double[] weight(Problem problem, boolean normalised, int classId) {
    float[] row = problem.weight(classId);
    double squares = 0;
    for (float value : row) {
      squares += (double) value * value;
    }
    var scaled = new double[row.length];
    for (int j = 0; j < row.length; j++) {
      scaled[j] = row[j] * (normalised ? SCALE / Math.sqrt(squares) : 1);
    }
    return scaled;
  }
}
