// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Which way to select wins, and when. */
class AutoClassesTest {
  private static final int NUM_CLASSES = 4000;
  private static final int DIM = 128;
  private static final int BATCH = 64;
  private static final String AUTO = "auto(0.05, tuneAfter=3)";
  private static final String UNIFORM = "uniform(0.05, corrected=true)";

  /** Half of a sample's probability is on the class that it lies next to, which is no target. */
  @Test
  void whereFewClassesThatAreNoTargetsMatterTheIndexServes() {
    try (var problem = problem(0.02f)) {
      assertServes(problem, 64, false);
    }
  }

  /** With a scale of nothing all classes are alike, and a search is for nothing. */
  @Test
  void whereAllClassesAreAlikeTheyAreDrawn() {
    try (var problem = problem(0.02f)) {
      assertServes(problem, 0.01, true);
    }
  }

  /** The index finds many times what is drawn, but less than half of it all. */
  @Test
  void whereMostOfTheSoftmaxStaysOutsideClassesAreDrawn() {
    try (var problem = problem(0.02f)) {
      assertServes(problem, 8, true);
    }
  }

  private static void assertServes(Problem problem, double scale, boolean uniform) {
    try (var auto = selector(problem, AUTO, scale);
        var drawn = selector(problem, UNIFORM, scale)) {
      auto.begin();
      for (int step = 0; step < 6; step++) {
        int[] ids = Problem.ids(problem.select(auto, step));
        int[] ofUniform = Problem.ids(problem.select(drawn, step));
        if (step < 3 || uniform) {
          assertEquals(Arrays.toString(ofUniform), Arrays.toString(ids), "in step " + step);
        } else {
          assertNotEquals(Arrays.toString(ofUniform), Arrays.toString(ids), "in step " + step);
        }
        auto.endStep(step);
      }
    }
  }

  private static ClassSelector selector(Problem problem, String spec, double scale) {
    return ClassSelector.of(
        SelectorSpec.parse(spec),
        new SelectionProblem(problem.weights, true, scale, BATCH, 1, problem.engine));
  }

  /** Samples lie at random classes, and have other ones as targets. */
  private static Problem problem(float noise) {
    var random = new SplittableRandom(5);
    var weights = new float[NUM_CLASSES][DIM];
    for (float[] row : weights) {
      for (int j = 0; j < DIM; j++) {
        row[j] = (float) random.nextGaussian();
      }
      double length = 0;
      for (float value : row) {
        length += value * value;
      }
      for (int j = 0; j < DIM; j++) {
        row[j] /= (float) Math.sqrt(length);
      }
    }
    var features = new float[BATCH][];
    for (int i = 0; i < BATCH; i++) {
      features[i] = weights[random.nextInt(NUM_CLASSES)].clone();
      features[i][0] += noise;
    }
    return new Problem(weights, features, random.ints(BATCH, 0, NUM_CLASSES).toArray());
  }
}
