// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Partial FC: the targets, filled up by uniform draws. */
class UniformClassesTest {
  @ParameterizedTest
  @CsvSource({
    "10, 0.1, 1",
    "10, 0.3, 3",
    "10, 1, 10",
    "1000, 0.0001, 1",
    "1000, 0.0246, 25",
    "7, 0.5, 4"
  })
  void itChoosesItsShareOfTheClasses(int numClasses, double rate, int expected) {
    try (var problem = Problem.random(numClasses, 3, 1, 1);
        var selector = problem.selector("uniform(" + rate + ")", true, 5)) {
      for (int step = 0; step < 20; step++) {
        assertEquals(expected, problem.select(selector, step).numActive());
      }
    }
  }

  @Test
  void allOfItsClassesAreForeseen() {
    try (var problem = Problem.random(1000, 3, 20, 2);
        var selector = problem.selector("uniform(0.1, corrected=true)", true, 5)) {
      int[] foreseen = selector.foreseen(problem.distinctTargets(), 7);
      assertArrayEquals(Problem.ids(problem.select(selector, 7)), foreseen);
    }
  }

  @Test
  void moreTargetsThanItsShareAreAllTaken() {
    try (var problem = Problem.random(1000, 3, 300, 2);
        var selector = problem.selector("uniform(0.01)", true, 5)) {
      int[] targets = problem.distinctTargets();
      assertTrue(targets.length > 100);
      assertArrayEquals(targets, Problem.ids(problem.select(selector, 0)));
    }
  }

  /** 49 others share 9 places: each is drawn in 9/49 of the steps, each pair in 9*8/(49*48). */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void everyClassAndEveryPairOfClassesIsDrawnEquallyOften(long seed) {
    int numClasses = 50;
    int steps = 20_000;
    var counts = new long[numClasses];
    var pairs = new long[numClasses][numClasses];
    var targets = new int[] {17, 17};
    try (var problem = new Problem(new float[50][2], new float[2][2], targets);
        var selector = problem.selector("uniform(0.2)", true, seed)) {
      for (int step = 0; step < steps; step++) {
        int[] ids = Problem.ids(problem.select(selector, step));
        assertEquals(10, ids.length);
        for (int a : ids) {
          counts[a]++;
          for (int b : ids) {
            pairs[a][b]++;
          }
        }
      }
    }
    assertEquals(steps, counts[17]);
    double single = 9.0 / 49;
    double pair = single * 8 / 48;
    double chiSquare = 0;
    double pairSquare = 0;
    for (int a = 0; a < numClasses; a++) {
      for (int b = 0; b < a; b++) {
        if (a != 17 && b != 17) {
          pairSquare += square(pairs[a][b] - pair * steps) / (steps * pair * (1 - pair));
        }
      }
      if (a != 17) {
        chiSquare += square(counts[a] - single * steps) / (steps * single * (1 - single));
      }
    }
    // Sums of 49 and 1176 squares of normal deviates of about 1, hardly dependent: 5 deviations.
    assertEquals(49, chiSquare, 5 * Math.sqrt(2 * 49));
    assertEquals(1176, pairSquare, 5 * Math.sqrt(2 * 1176));
  }

  private static double square(double x) {
    return x * x;
  }

  @Test
  void withoutCorrectionEveryClassStandsForItself() {
    try (var problem = Problem.random(100, 3, 5, 3);
        var selector = problem.selector("uniform(0.5)", true, 5)) {
      assertArrayEquals(new float[50], Problem.logWeights(problem.select(selector, 4)));
    }
  }

  @Test
  void correctedDrawsStandForAllClassesThatAreNoTargets() {
    try (var problem = Problem.random(100, 3, 5, 3);
        var selector = problem.selector("uniform(0.5, corrected=true)", true, 5);
        var plain = problem.selector("uniform(0.5)", true, 5)) {
      ActiveClasses active = problem.select(selector, 4);
      int[] targets = problem.distinctTargets();
      int draws = 50 - targets.length;
      float expected = (float) Math.log((100.0 - targets.length) / draws);
      for (int j = 0; j < 50; j++) {
        boolean target = Arrays.binarySearch(targets, active.classId(j)) >= 0;
        assertEquals(target ? 0f : expected, active.logWeight(j));
      }
      assertArrayEquals(Problem.ids(problem.select(plain, 4)), Problem.ids(active));
    }
  }

  @Test
  void anotherStepOrSeedDrawsOthers() {
    try (var problem = Problem.random(1000, 3, 2, 3);
        var selector = problem.selector("uniform(0.05)", true, 5);
        var other = problem.selector("uniform(0.05)", true, 6)) {
      int[] first = Problem.ids(problem.select(selector, 0));
      assertTrue(common(first, Problem.ids(problem.select(selector, 1))) < 15);
      assertTrue(common(first, Problem.ids(problem.select(other, 0))) < 15);
    }
  }

  private static long common(int[] a, int[] b) {
    return Arrays.stream(a).filter(id -> Arrays.binarySearch(b, id) >= 0).count();
  }
}
