// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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

  /** Most samples lie nearer to a class that is no target, of which draws know nothing. */
  @Test
  void whereFewClassesThatAreNoTargetsMatterTheIndexServes() {
    try (var problem = problem()) {
      assertServes(problem, 64, false);
    }
  }

  /** With a scale of nothing all classes are alike, and a search is for nothing. */
  @Test
  void whereAllClassesAreAlikeTheyAreDrawn() {
    try (var problem = problem()) {
      assertServes(problem, 0.01, true);
    }
  }

  /** The index finds many times what is drawn, but the target is nearly all of the gradient. */
  @Test
  void whereWhatIsFoundHardlyTurnsTheGradientClassesAreDrawn() {
    try (var problem = problem()) {
      assertServes(problem, 8, true);
    }
  }

  /** By default nothing is tried before many steps were made: trying takes as long as fifty. */
  @Test
  void aShortRunNeverTries() {
    try (var problem = problem();
        var auto = selector(problem, "auto(0.05)", 64);
        var drawn = selector(problem, UNIFORM, 64)) {
      auto.begin();
      for (int step = 0; step < 100; step++) {
        int[] ids = Problem.ids(problem.select(auto, step));
        assertArrayEquals(Problem.ids(problem.select(drawn, step)), ids, "in step " + step);
        auto.endStep(step);
      }
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

  /** Of eight samples seven lie between their target and a class that is nearer, one far off. */
  private static Problem problem() {
    var random = new SplittableRandom(5);
    var weights = new float[NUM_CLASSES][DIM];
    for (float[] row : weights) {
      for (int j = 0; j < DIM; j++) {
        row[j] = (float) random.nextGaussian();
      }
      toUnitLength(row);
    }
    int[] targets = random.ints(BATCH, 0, NUM_CLASSES).toArray();
    var features = new float[BATCH][];
    for (int i = 0; i < BATCH; i++) {
      features[i] = weights[random.nextInt(NUM_CLASSES)].clone();
      for (int j = 0; j < DIM; j++) {
        features[i][j] +=
            i % 8 == 0 ? (float) random.nextGaussian() : 0.7f * weights[targets[i]][j];
      }
      toUnitLength(features[i]);
    }
    return new Problem(weights, features, targets);
  }

  private static void toUnitLength(float[] row) {
    double squares = 0;
    for (float value : row) {
      squares += value * value;
    }
    for (int j = 0; j < row.length; j++) {
      row[j] /= (float) Math.sqrt(squares);
    }
  }
}
