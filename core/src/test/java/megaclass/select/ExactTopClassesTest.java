// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The best scored classes, found once more by sorting all of them. */
class ExactTopClassesTest {
  static Stream<Arguments> problems() {
    return Stream.of(1, 4, 127, 128, 129, 700)
        .flatMap(
            numClasses ->
                Stream.of(1, 63, 65)
                    .flatMap(
                        batch ->
                            Stream.of(false, true)
                                .map(normalised -> Arguments.of(numClasses, batch, normalised))));
  }

  /** Values on a coarse grid: products are exact, and many scores are equal. */
  @ParameterizedTest
  @MethodSource("problems")
  void theBestClassesAreThoseOfAFullSort(int numClasses, int batch, boolean normalised) {
    var random = new SplittableRandom(numClasses * 1000L + batch);
    float[][] weights = grid(random, numClasses, 3);
    float[][] features = grid(random, batch, 3);
    int[] targets = random.ints(batch, 0, numClasses).toArray();
    try (var problem = new Problem(weights, features, targets)) {
      for (int numActive : new int[] {1, 3, 50, 128, numClasses, numClasses + 5}) {
        try (var selector = problem.selector("exactTop(" + numActive + ")", normalised, 1)) {
          assertArrayEquals(
              expected(weights, problem, numActive, normalised),
              Problem.ids(problem.select(selector, 0)),
              "the best " + numActive);
        }
      }
    }
  }

  private static float[][] grid(SplittableRandom random, int rows, int columns) {
    var matrix = new float[rows][columns];
    for (float[] row : matrix) {
      for (int j = 0; j < columns; j++) {
        row[j] = random.nextInt(-2, 3);
      }
    }
    return matrix;
  }

  private static int[] expected(
      float[][] weights, Problem problem, int numActive, boolean normalised) {
    float[] scores = new float[weights.length];
    for (int c = 0; c < weights.length; c++) {
      double best = Double.NEGATIVE_INFINITY;
      for (float[] sample : problem.features) {
        best = Math.max(best, dot(weights[c], sample));
      }
      double length = normalised ? Math.sqrt(dot(weights[c], weights[c])) : 1;
      scores[c] = length == 0 ? 0 : (float) (best / length);
    }
    var chosen = new TreeSet<Integer>();
    Arrays.stream(problem.targets).forEach(chosen::add);
    IntStream.range(0, weights.length)
        .boxed()
        .filter(c -> !chosen.contains(c))
        .sorted(Comparator.comparingDouble(c -> -scores[c] + 0.0)) // stable: ties by class id
        .limit(Math.max(0, Math.min(numActive, weights.length) - chosen.size()))
        .toList()
        .forEach(chosen::add);
    return chosen.stream().mapToInt(c -> c).toArray();
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int j = 0; j < a.length; j++) {
      sum += (double) a[j] * b[j];
    }
    return sum;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aWeightOfZeroScoresZero(boolean normalised) {
    float[][] weights = {{1, 0}, {0, 0}, {-1, 0}, {0.5f, 0}};
    try (var problem = new Problem(weights, new float[][] {{1, 0}}, new int[] {2})) {
      try (var selector = problem.selector("exactTop(3)", normalised, 1)) {
        assertArrayEquals(new int[] {0, 2, 3}, Problem.ids(problem.select(selector, 0)));
      }
    }
  }

  @Test
  void theLengthOfAWeightCountsUnlessCosinesAreWanted() {
    float[][] weights = {{0, 1}, {1, 1}, {0.3f, 0}, {0, 0.5f}};
    try (var problem = new Problem(weights, new float[][] {{1, 0}}, new int[] {0});
        var cosines = problem.selector("exactTop(2)", true, 1);
        var products = problem.selector("exactTop(2)", false, 1)) {
      assertArrayEquals(new int[] {0, 2}, Problem.ids(problem.select(cosines, 0)));
      assertArrayEquals(new int[] {0, 1}, Problem.ids(problem.select(products, 0)));
    }
  }

  @Test
  void samplesThatOnlyFillUpTheLastPanelHaveNoSay() {
    // Against a sample of zeros every class would score 0, better than any of these.
    float[][] weights = {{-1, 0}, {-2, 0}, {-3, 0}, {-4, 0}};
    try (var problem = new Problem(weights, new float[][] {{1, 0}}, new int[] {3});
        var selector = problem.selector("exactTop(2)", false, 1)) {
      assertArrayEquals(new int[] {0, 3}, Problem.ids(problem.select(selector, 0)));
    }
  }

  @Test
  void itReadsAllWeightsAndItsClassesStandForThemselves() {
    try (var problem = Problem.random(100, 3, 5, 3);
        var selector = problem.selector("exactTop(20)", true, 1);
        var tailed = problem.selector("exactTop(20) + tail(0.5)", true, 1);
        var uniform = problem.selector("uniform(0.5)", true, 1)) {
      assertTrue(selector.readsAllWeights());
      assertTrue(tailed.readsAllWeights());
      assertEquals(false, uniform.readsAllWeights());
      assertArrayEquals(new float[20], Problem.logWeights(problem.select(selector, 4)));
    }
  }
}
