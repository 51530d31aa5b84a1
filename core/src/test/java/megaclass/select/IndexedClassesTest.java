// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Selection through an index that looks everywhere, beside sums over all classes. */
class IndexedClassesTest {
  private static final String ALL_LISTS = "ivf(%s, numLists=4, numProbes=4, numCandidates=%d)";

  private static final String ALL_BRANCHES = "forest(%s, numTrees=2, leafSize=7, numCandidates=%d)";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        ALL_LISTS + "|false",
        ALL_LISTS + "|true",
        ALL_BRANCHES + "|false",
        ALL_BRANCHES + "|true"
      })
  void theClassesOfTheLargestMassAreTaken(String index, boolean normalised) {
    int numClasses = 200;
    try (var problem = Problem.random(numClasses, 20, 9, 3);
        var selector = problem.selector(index.formatted("0.2", numClasses), normalised, 1)) {
      selector.begin();
      int[] ids = Problem.ids(problem.select(selector, 0));
      assertArrayEquals(expected(problem, numClasses, 40, normalised), ids);
    }
  }

  /** Probability of each class under the full softmax, summed over the batch. */
  private static double[] mass(Problem problem, int numClasses, boolean normalised) {
    double[] mass = new double[numClasses];
    for (float[] sample : problem.features) {
      double[] logits = new double[numClasses];
      for (int c = 0; c < numClasses; c++) {
        double length = normalised ? Math.sqrt(dot(problem, c, problem.weight(c))) / 16 : 1;
        logits[c] = dot(problem, c, sample) / length;
      }
      double z = Arrays.stream(logits).map(Math::exp).sum();
      for (int c = 0; c < numClasses; c++) {
        mass[c] += Math.exp(logits[c]) / z;
      }
    }
    return mass;
  }

  private static int[] expected(
      Problem problem, int numClasses, int numActive, boolean normalised) {
    double[] mass = mass(problem, numClasses, normalised);
    int[] targets = problem.distinctTargets();
    IntStream best =
        IntStream.range(0, numClasses)
            .filter(c -> Arrays.binarySearch(targets, c) < 0)
            .boxed()
            .sorted(Comparator.comparingDouble(c -> -mass[c]))
            .limit(numActive - targets.length)
            .mapToInt(c -> c);
    return IntStream.concat(best, Arrays.stream(targets)).sorted().toArray();
  }

  private static double dot(Problem problem, int classId, float[] row) {
    float[] weight = problem.weight(classId);
    return IntStream.range(0, row.length).mapToDouble(j -> (double) row[j] * weight[j]).sum();
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.3, 0.6, 0.9, 0.99})
  void noMoreClassesAreTakenThanTheCoverageNeeds(double coverage) {
    int numClasses = 200;
    String all = "ivf(1, numLists=4, numProbes=4, numCandidates=200, coverage=" + coverage + ")";
    try (var problem = Problem.random(numClasses, 20, 9, 3);
        var selector = problem.selector(all, true, 1)) {
      selector.begin();
      int[] ids = Problem.ids(problem.select(selector, 0));
      double[] mass = mass(problem, numClasses, true);
      double covered = Arrays.stream(ids).mapToDouble(c -> mass[c]).sum() / 9;
      double smallest =
          Arrays.stream(ids)
              .filter(c -> Arrays.binarySearch(problem.distinctTargets(), c) < 0)
              .mapToDouble(c -> mass[c])
              .min()
              .orElse(1);
      assertTrue(covered > coverage - 1e-5, covered + " is covered");
      assertTrue(covered - smallest / 9 < coverage, "without the last class it is covered too");
    }
  }

  @Test
  void theIndexIsAskedForMoreUntilTheCoverageIsReached() {
    int numClasses = 300;
    String few = "ivf(1, coverage=0.95, numLists=8, numProbes=1, numCandidates=4)";
    try (var problem = Problem.random(numClasses, 20, 9, 3);
        var selector = problem.selector(few, true, 1)) {
      selector.begin();
      double[] mass = mass(problem, numClasses, true);
      double covered = 0;
      for (int step = 0; step < 8; step++) {
        int[] ids = Problem.ids(problem.select(selector, step));
        covered = Arrays.stream(ids).mapToDouble(c -> mass[c]).sum() / 9;
        if (step == 0) {
          assertTrue(covered < 0.8, covered + " is covered at once");
        }
        selector.endStep(step);
      }
      assertTrue(covered > 0.94, covered + " is covered in the end");
    }
  }

  @Test
  void withoutEnoughCandidatesFewerClassesAreActive() {
    try (var problem = Problem.random(500, 20, 3, 3);
        var selector = problem.selector(ALL_LISTS.formatted("0.9", 2), true, 1)) {
      selector.begin();
      int active = problem.select(selector, 0).numActive();
      assertEquals(true, active >= 3 && active <= 9, active + " classes are active");
    }
  }

  @ParameterizedTest
  @CsvSource({"50, 0.01", "50, 0.3", "3, 0.3", "1, 0.1"})
  void aForestAsItComesFillsTheActiveSetEvenAmongRandomWeights(int numTrees, double rate) {
    try (var problem = Problem.random(3000, 20, 40, 3);
        var selector =
            problem.selector("forest(%s, numTrees=%d)".formatted(rate, numTrees), true, 1)) {
      selector.begin();
      long wanted = Math.max(Math.round(rate * 3000), problem.distinctTargets().length);
      assertEquals(wanted, problem.select(selector, 0).numActive());
    }
  }

  @Test
  void aLeafMayBeLargerThanTheClasses() {
    try (var problem = Problem.random(50, 3, 5, 3);
        var selector = problem.selector("forest(0.5, leafSize=1999999999)", true, 1)) {
      selector.begin();
      assertEquals(25, problem.select(selector, 0).numActive());
    }
  }

  @Test
  void moreListsThanClassesAreRefused() {
    try (var problem = Problem.random(50, 3, 5, 3)) {
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> problem.selector("ivf(0.1, numLists=51)", true, 1));
      assertEquals(
          "numLists must be at most the number of classes, 50, but was 51; give fewer, or 0 for a"
              + " suitable number",
          e.getMessage());
    }
  }
}
