// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Groups of similar samples, each with classes of its own. */
class GroupedClassesTest {
  @ParameterizedTest
  @CsvSource({"1, 1", "7, 2", "10, 3", "65, 64", "100, 7", "100, 100", "128, 8"})
  void groupsHaveNearlyTheSameSizeAndEachSampleIsInOne(int batch, int numGroups) {
    try (var problem = Problem.random(5, 3, batch, 1)) {
      int[][] groups = SampleGroups.cut(problem.embeddings, numGroups, problem.engine.backend());
      assertEquals(numGroups, groups.length);
      for (int[] group : groups) {
        assertTrue(
            group.length == batch / numGroups || group.length == Math.ceilDiv(batch, numGroups));
        assertArrayEquals(Arrays.stream(group).sorted().toArray(), group);
      }
      int[] all = Arrays.stream(groups).flatMapToInt(Arrays::stream).sorted().toArray();
      assertArrayEquals(IntStream.range(0, batch).toArray(), all);
    }
  }

  @Test
  void samplesOfOneCloudComeTogether() {
    var random = new SplittableRandom(4);
    var features = new float[32][16];
    for (int i = 0; i < features.length; i++) {
      for (int j = 0; j < 16; j++) {
        features[i][j] = (float) (0.1 * random.nextGaussian() + (j == i % 4 ? 1 : 0));
      }
    }
    try (var problem = new Problem(new float[2][16], features, new int[32])) {
      int[][] groups = SampleGroups.cut(problem.embeddings, 4, problem.engine.backend());
      for (int[] group : groups) {
        assertEquals(1, Arrays.stream(group).map(i -> i % 4).distinct().count());
      }
    }
  }

  @Test
  void samplesThatAreAllTheSameStayInTheirOrder() {
    var features = new float[6][2];
    Arrays.stream(features).forEach(row -> row[1] = 1);
    try (var problem = new Problem(new float[2][2], features, new int[6])) {
      int[][] groups = SampleGroups.cut(problem.embeddings, 3, problem.engine.backend());
      assertArrayEquals(new int[][] {{0, 1}, {2, 3}, {4, 5}}, groups);
    }
  }

  @Test
  void eachGroupHasAsManyClassesAsABatchWithoutGroups() {
    try (var problem = Problem.random(500, 8, 40, 3);
        var selector = problem.selector("exactTop(50) + tail(0.5) + groups(4)", true, 5)) {
      ActiveClasses active = problem.select(selector, 2);
      assertEquals(4, active.groups().size());
      for (ActiveClasses.Group group : active.groups()) {
        assertEquals(75, group.active().numActive());
      }
      assertTrue(active.numActive() > 75);
    }
  }

  @Test
  void groupsDrawTheirClassesIndependentlyAndAnewInEachStep() {
    try (var problem = Problem.random(5000, 3, 4, 3);
        var selector = problem.selector("uniform(0.01) + groups(2)", true, 5)) {
      int[][] drawn = new int[4][];
      for (int i = 0; i < drawn.length; i++) {
        drawn[i] = Problem.ids(problem.select(selector, i / 2).groups().get(i % 2).active());
      }
      for (int i = 0; i < drawn.length; i++) {
        for (int j = 0; j < i; j++) {
          int[] other = drawn[j];
          int[] common =
              Arrays.stream(drawn[i]).filter(c -> Arrays.binarySearch(other, c) >= 0).toArray();
          assertTrue(common.length < 10, "draws " + i + " and " + j + " have much in common");
        }
      }
    }
  }

  @Test
  void moreGroupsThanSamplesMakeEachSampleAGroup() {
    try (var problem = Problem.random(300, 3, 5, 3);
        var selector = problem.selector("exactTop(20) + groups(4096)", true, 5)) {
      ActiveClasses active = problem.select(selector, 2);
      assertEquals(5, active.groups().size());
      for (ActiveClasses.Group group : active.groups()) {
        assertEquals(1, group.samples().length);
        assertEquals(20, group.active().numActive());
      }
    }
  }

  @Test
  void oneGroupIsTheChoiceWithoutGroups() {
    try (var problem = Problem.random(300, 3, 5, 3);
        var plain = problem.selector("uniform(0.1) + tail(0.5)", true, 5);
        var grouped = problem.selector("uniform(0.1) + tail(0.5) + groups(1)", true, 5)) {
      ActiveClasses expected = problem.select(plain, 7);
      ActiveClasses actual = problem.select(grouped, 7);
      assertArrayEquals(Problem.ids(expected), Problem.ids(actual));
      assertArrayEquals(Problem.logWeights(expected), Problem.logWeights(actual));
      assertTrue(actual.groups().isEmpty());
    }
  }

  @Test
  void aSampleFindsMoreOfItsBestClassesInAGroup() {
    try (var problem = Problem.random(2000, 16, 64, 3);
        var plain = problem.selector("exactTop(64)", true, 5);
        var grouped = problem.selector("exactTop(64) + groups(8)", true, 5)) {
      assertFalse(found(problem, plain) > 0.5 * found(problem, grouped));
    }
  }

  /** How often one of the 64 best classes of a sample is active for it. */
  private static long found(Problem problem, ClassSelector selector) {
    ActiveClasses active = problem.select(selector, 0);
    long found = 0;
    for (int i = 0; i < problem.targets.length; i++) {
      int sample = i;
      ActiveClasses own = active.ofSample(i);
      found +=
          IntStream.range(0, problem.weights.numClasses())
              .boxed()
              .sorted(
                  (a, b) -> Double.compare(cosine(problem, sample, b), cosine(problem, sample, a)))
              .limit(64)
              .filter(c -> own.positionOf(c) >= 0)
              .count();
    }
    return found;
  }

  private static double cosine(Problem problem, int sample, int classId) {
    double product = 0;
    double squares = 0;
    float[] weight = problem.weight(classId);
    for (int j = 0; j < weight.length; j++) {
      product += problem.features[sample][j] * weight[j];
      squares += weight[j] * weight[j];
    }
    return product / Math.sqrt(squares);
  }

  @ParameterizedTest
  @CsvSource({
    "all, 1000",
    "uniform(0.1), 100",
    "exactTop(30), 30",
    "exactTop(10), 16",
    "ivf(0.02) + tail(0.5), 30",
    "exactTop(30) + groups(4), 120",
    "uniform(0.5) + groups(4), 1000"
  })
  void theForecastKnowsHowManyClassesABatchMakesActive(String spec, long expected) {
    assertEquals(expected, ClassSelector.mostActive(SelectorSpec.parse(spec), 1000, 16));
  }
}
