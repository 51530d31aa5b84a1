// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import java.util.Comparator;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** So few classes that every list of the index is looked into, beside sorting all of them. */
class NeighbourClassesTest {
  private static final int NUM_CLASSES = 16;
  private static final String SPEC = "neighbours(%s, numNeighbours=15, refreshEvery=3)";

  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.4, 0.6, 0.9, 1})
  void theNearestOfAllTargetsComeFirst(double rate) {
    for (boolean normalised : new boolean[] {false, true}) {
      try (var problem = Problem.random(NUM_CLASSES, 20, 5, 3);
          var selector = problem.selector(SPEC.formatted(rate), normalised, 1)) {
        selector.begin();
        int[] ids = Problem.ids(problem.select(selector, 0));
        assertArrayEquals(expected(problem, rate, normalised), ids);
      }
    }
  }

  @Test
  void aListIsMadeAnewWhenItIsOld() {
    try (var problem = Problem.random(NUM_CLASSES, 20, 5, 3);
        var selector = problem.selector(SPEC.formatted(0.6), true, 1)) {
      selector.begin();
      int[] before = expected(problem, 0.6, true);
      for (long step = 0; step < 3; step++) {
        assertArrayEquals(before, Problem.ids(problem.select(selector, step)), "step " + step);
        if (step == 0) {
          turnClasses(problem, selector);
        }
        selector.endStep(step);
      }
      int[] after = expected(problem, 0.6, true);
      assertFalse(Arrays.equals(before, after), "the weights have moved");
      assertArrayEquals(after, Problem.ids(problem.select(selector, 3)));
    }
  }

  /** Class c takes the weight of class c + 5. */
  private static void turnClasses(Problem problem, ClassSelector selector) {
    var rows = IntStream.range(0, NUM_CLASSES).mapToObj(problem::weight).toArray(float[][]::new);
    for (int c = 0; c < NUM_CLASSES; c++) {
      for (int j = 0; j < rows[c].length; j++) {
        problem.weights.matrix().set(c, j, rows[(c + 5) % NUM_CLASSES][j]);
      }
    }
    for (int c = 0; c < NUM_CLASSES; c++) {
      selector.moved(c, 0);
    }
  }

  private static int[] expected(Problem problem, double rate, boolean normalised) {
    int[] targets = problem.distinctTargets();
    int numActive = Math.max(targets.length, (int) Math.round(rate * NUM_CLASSES));
    int[][] nearest =
        Arrays.stream(targets)
            .mapToObj(target -> nearest(problem, target, normalised))
            .toArray(int[][]::new);
    var active = new TreeSet<Integer>(Arrays.stream(targets).boxed().toList());
    for (int rank = 0; rank < NUM_CLASSES - 1; rank++) {
      for (int[] list : nearest) {
        if (active.size() < numActive) {
          active.add(list[rank]);
        }
      }
    }
    return active.stream().mapToInt(c -> c).toArray();
  }

  private static int[] nearest(Problem problem, int target, boolean normalised) {
    float[] row = problem.weight(target);
    return IntStream.range(0, NUM_CLASSES)
        .filter(c -> c != target)
        .boxed()
        .sorted(Comparator.comparingDouble(c -> -score(row, problem.weight(c), normalised)))
        .mapToInt(c -> c)
        .toArray();
  }

  private static double score(float[] row, float[] other, boolean normalised) {
    double length = normalised ? Math.sqrt(dot(other, other)) : 1;
    return dot(row, other) / length;
  }

  private static double dot(float[] a, float[] b) {
    return IntStream.range(0, a.length).mapToDouble(j -> (double) a[j] * b[j]).sum();
  }
}
