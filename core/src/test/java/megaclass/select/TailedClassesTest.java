// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Uniform draws from the rest, each of which stands for many: methods, "tail correction". */
class TailedClassesTest {
  @ParameterizedTest
  @CsvSource({
    "exactTop(20), 0.5, 10",
    "exactTop(20), 0.01, 0",
    "uniform(0.2), 1, 20",
    "exactTop(90), 1, 10"
  })
  void theTailIsAShareOfTheChosenClasses(String base, double share, int draws) {
    try (var problem = Problem.random(100, 3, 5, 3);
        var plain = problem.selector(base, true, 1);
        var tailed = problem.selector(base + " + tail(" + share + ")", true, 1)) {
      int[] chosen = Problem.ids(problem.select(plain, 7));
      ActiveClasses active = problem.select(tailed, 7);
      assertEquals(chosen.length + draws, active.numActive());
      float expected = (float) Math.log((100.0 - chosen.length) / draws);
      int inTail = 0;
      for (int j = 0; j < active.numActive(); j++) {
        boolean base0 = Arrays.binarySearch(chosen, active.classId(j)) >= 0;
        assertEquals(base0 ? 0f : expected, active.logWeight(j));
        inTail += base0 ? 0 : 1;
      }
      assertEquals(draws, inTail, "all that the base chooses stays");
    }
  }

  @Test
  void ageAndDriftAreThoseOfTheIndexBelow() {
    try (var problem = Problem.random(100, 3, 5, 3);
        var followed = problem.selector("ivf(0.2) + tail(1)", false, 1);
        var aging = problem.selector("forest(0.2, refreshEvery=4) + tail(1)", false, 1)) {
      followed.begin();
      aging.begin();
      for (int step = 0; step < 9; step++) {
        assertEquals(0, followed.age(step));
        assertEquals(step < 8 ? step : step - 4, aging.age(step));
        followed.endStep(step);
        aging.endStep(step);
      }
      assertEquals(0, aging.drift(), 1e-6);
      for (int c = 0; c < 100; c++) {
        for (int j = 0; j < 3; j++) {
          problem.weights.matrix().set(c, j, 3 * problem.weights.matrix().get(c, j));
        }
      }
      assertEquals(0, followed.drift());
      assertEquals(2, aging.drift(), 1e-5);
    }
  }

  @Test
  void aTargetIsNeverDrawnIntoTheTail() {
    try (var problem = Problem.random(60, 3, 10, 3);
        var selector = problem.selector("exactTop(12) + tail(1)", true, 1)) {
      for (int step = 0; step < 200; step++) {
        ActiveClasses active = problem.select(selector, step);
        for (int i = 0; i < problem.targets.length; i++) {
          assertEquals(problem.targets[i], active.classId(active.targetPosition(i)));
          assertEquals(0f, active.logWeight(active.targetPosition(i)));
        }
      }
    }
  }

  @Test
  void theTailIsDrawnUniformlyFromTheRest() {
    int steps = 20_000;
    try (var problem = Problem.random(40, 3, 2, 3);
        var plain = problem.selector("exactTop(10)", true, 1);
        var tailed = problem.selector("exactTop(10) + tail(0.5)", true, 1)) {
      int[] chosen = Problem.ids(problem.select(plain, 0));
      var counts = new long[40];
      for (int step = 0; step < steps; step++) {
        for (int id : Problem.ids(problem.select(tailed, step))) {
          counts[id]++;
        }
      }
      double p = 5.0 / 30;
      double chiSquare = 0;
      for (int c = 0; c < 40; c++) {
        if (Arrays.binarySearch(chosen, c) >= 0) {
          assertEquals(steps, counts[c]);
        } else {
          chiSquare += Math.pow(counts[c] - p * steps, 2) / (steps * p * (1 - p));
        }
      }
      assertEquals(30, chiSquare, 5 * Math.sqrt(60));
    }
  }

  @Test
  void tailAndUniformBaseAreDrawnIndependently() {
    // Were both drawn by one order of the classes, the tail would follow from the base.
    try (var problem = Problem.random(1000, 3, 1, 3);
        var small = problem.selector("uniform(0.05) + tail(1)", true, 1);
        var large = problem.selector("uniform(0.1)", true, 1)) {
      assertFalse(
          Arrays.equals(
              Problem.ids(problem.select(small, 3)), Problem.ids(problem.select(large, 3))));
    }
  }

  /** E[Zhat] = Z, whatever is chosen, when what is left out is stood for. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "uniform(0.1, corrected=true)",
        "uniform(0.6, corrected=true)",
        "exactTop(20) + tail(0.2)",
        "exactTop(150) + tail(0.3)",
        "uniform(0.1) + tail(0.5)"
      })
  void theEstimateOfZIsUnbiased(String spec) {
    int draws = 10_000;
    try (var problem = Problem.random(200, 6, 4, 11);
        var selector = problem.selector(spec, false, 5)) {
      int batch = problem.targets.length;
      double[][] terms = terms(problem);
      double[] sum = new double[batch];
      double[] squares = new double[batch];
      for (int draw = 0; draw < draws; draw++) {
        ActiveClasses active = problem.select(selector, draw);
        for (int i = 0; i < batch; i++) {
          double estimate = 0;
          for (int j = 0; j < active.numActive(); j++) {
            estimate += terms[i][active.classId(j)] * Math.exp(active.logWeight(j));
          }
          sum[i] += estimate;
          squares[i] += estimate * estimate;
        }
      }
      for (int i = 0; i < batch; i++) {
        double mean = sum[i] / draws;
        double deviation = Math.sqrt(squares[i] / draws - mean * mean);
        double z = Arrays.stream(terms[i]).sum();
        assertTrue(deviation > 1e-6 * z, "a random estimate");
        assertEquals(z, mean, 4.5 * deviation / Math.sqrt(draws), "sample " + i);
      }
    }
  }

  /** exp of the logits, (batch, numClasses), spread out so that some classes weigh much. */
  private static double[][] terms(Problem problem) {
    int numClasses = problem.weights.numClasses();
    return Arrays.stream(problem.features)
        .map(
            features ->
                IntStream.range(0, numClasses)
                    .mapToDouble(
                        c -> {
                          double logit = 0;
                          for (int j = 0; j < features.length; j++) {
                            logit += 4 * features[j] * problem.weights.matrix().get(c, j);
                          }
                          return Math.exp(logit);
                        })
                    .toArray())
        .toArray(double[][]::new);
  }

  @Test
  void wholeSetsNeedNoTail() {
    try (var problem = Problem.random(30, 3, 2, 3);
        var selector = problem.selector("exactTop(30) + tail(1)", true, 1)) {
      ActiveClasses active = problem.select(selector, 0);
      assertArrayEquals(IntStream.range(0, 30).toArray(), Problem.ids(active));
      assertArrayEquals(new float[30], Problem.logWeights(active));
    }
  }
}
