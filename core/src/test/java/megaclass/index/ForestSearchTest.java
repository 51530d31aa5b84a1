// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import megaclass.TestBackend;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.PlantedClasses;
import megaclass.data.PlantedExamples;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a search finds among planted classes in families, and what that costs. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ForestSearchTest {
  private static final int NUM_CLASSES = 3000;
  private static final int NUM_QUERIES = 70;
  private static final HashingForest.Settings SETTINGS = new HashingForest.Settings(16, 32);

  private final Engine engine = Engine.start(TestBackend.NAME, 3);
  private final float[][] centres = unitRows(NUM_CLASSES, 0f, 0);
  private final float[][] examples = unitRows(NUM_QUERIES, 0.8f, 1);
  private final RowMatrix rows = Clouds.matrix(centres);
  private final RowMatrix queries = Clouds.matrix(examples);
  private HashingForest forest;

  ForestSearchTest() {
    forest = HashingForest.build(rows, true, SETTINGS, 3, engine);
  }

  private static float[][] unitRows(int count, float noise, int sample) {
    var spec =
        PlantedClasses.defaults()
            .withNumClasses(NUM_CLASSES)
            .withDim(32)
            .withExamplesPerClass(1)
            .withNoise(noise)
            .withSample(sample);
    var planted = new PlantedExamples(spec);
    return IntStream.range(0, count)
        .mapToObj(i -> toUnitLength(planted.features(i)))
        .toArray(float[][]::new);
  }

  private static float[] toUnitLength(float[] row) {
    double square = 0;
    for (float value : row) {
      square += value * value;
    }
    for (int j = 0; j < row.length; j++) {
      row[j] /= (float) Math.sqrt(square);
    }
    return row;
  }

  @AfterAll
  void close() {
    forest.close();
    rows.close();
    queries.close();
    engine.close();
  }

  private Set<Integer> tenNearest(int query) {
    double[] scores = new double[NUM_CLASSES];
    for (int c = 0; c < NUM_CLASSES; c++) {
      for (int j = 0; j < 32; j++) {
        scores[c] += centres[c][j] * examples[query][j];
      }
    }
    return IntStream.range(0, NUM_CLASSES)
        .boxed()
        .sorted(Comparator.comparingDouble(c -> -scores[c]))
        .limit(10)
        .collect(Collectors.toSet());
  }

  private double recall(HashingForest asked, int atLeast) {
    int[][] found = asked.candidates(Clouds.addresses(queries), atLeast, engine.workers());
    double hits = 0;
    for (int query = 0; query < NUM_QUERIES; query++) {
      hits += Arrays.stream(found[query]).filter(tenNearest(query)::contains).count();
    }
    return hits / (10 * NUM_QUERIES);
  }

  @Test
  void recallRisesWithTheNumberOfTreesAndWithTheBranchesFollowed() {
    double last = 0;
    for (int numTrees : new int[] {1, 4, 16}) {
      try (var trees =
          HashingForest.build(rows, true, SETTINGS.withNumTrees(numTrees), 3, engine)) {
        double recall = recall(trees, 0);
        assertTrue(recall > last + 0.05, numTrees + " trees find " + recall + " after " + last);
        last = recall;
        double more = recall(trees, NUM_CLASSES / 4);
        assertTrue(more > recall + 0.05, recall + ", and with more branches " + more);
        assertEquals(1.0, recall(trees, NUM_CLASSES));
      }
    }
  }

  @Test
  void theLeavesOfAnEmbeddingAreItsCandidates() {
    int[] leaves = new int[NUM_QUERIES * 16];
    forest.leaves(Clouds.addresses(queries), engine.workers(), leaves);
    int[][] found = forest.candidates(Clouds.addresses(queries), 0, engine.workers());
    for (int query = 0; query < NUM_QUERIES; query++) {
      var expected = new HashSet<Integer>();
      for (int tree = 0; tree < 16; tree++) {
        int leaf = leaves[16 * query + tree];
        for (int at = forest.leafFrom(tree, leaf); at < forest.leafTo(tree, leaf); at++) {
          expected.add(forest.classId(tree, at));
        }
      }
      assertEquals(expected, Arrays.stream(found[query]).boxed().collect(Collectors.toSet()));
      assertEquals(expected.size(), found[query].length, "none twice");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 500, 501, 1500, NUM_CLASSES - 1, NUM_CLASSES, NUM_CLASSES + 1})
  void moreCandidatesComeAfterTheFirstOnes(int atLeast) {
    int[][] few = forest.candidates(Clouds.addresses(queries), 0, engine.workers());
    int[][] found = forest.candidates(Clouds.addresses(queries), atLeast, engine.workers());
    for (int query = 0; query < NUM_QUERIES; query++) {
      assertArrayEquals(few[query], Arrays.copyOf(found[query], few[query].length));
      int wanted = Math.max(few[query].length, Math.min(atLeast, NUM_CLASSES));
      assertTrue(found[query].length >= wanted);
      assertTrue(found[query].length < wanted + 32, "no leaf more than needed");
      assertEquals(found[query].length, Arrays.stream(found[query]).distinct().count());
    }
  }

  @Test
  void allCandidatesAreAllClasses() {
    int[] all = IntStream.range(0, NUM_CLASSES).toArray();
    for (int[] found :
        forest.candidates(Clouds.addresses(queries), NUM_CLASSES, engine.workers())) {
      assertArrayEquals(all, Arrays.stream(found).sorted().toArray());
    }
  }

  @Test
  void oneSearchServesOneEmbeddingAfterTheOther() {
    int[] order = new SplittableRandom(1).ints(300, 0, NUM_QUERIES).toArray();
    var used = forest.newSearch();
    for (int i = 0; i < order.length; i++) {
      int atLeast = i % 3 * 400;
      var fresh = forest.newSearch();
      fresh.search(queries.address(order[i]), atLeast);
      assertEquals(fresh.size(), used.search(queries.address(order[i]), atLeast));
      assertArrayEquals(fresh.classIds(), used.classIds());
      assertEquals(fresh.numHyperplanes(), used.numHyperplanes());
      assertEquals(fresh.numLeaves(), used.numLeaves());
    }
  }

  @Test
  void theCostOfASearchIsTold() {
    var search = forest.newSearch();
    search.findLeaves(queries.address(0));
    assertEquals(0, search.size());
    assertEquals(0, search.numLeaves());
    long walk = search.numHyperplanes();
    search.search(queries.address(0), 0);
    assertEquals(16, search.numLeaves());
    assertEquals(walk, search.numHyperplanes());
    search.search(queries.address(0), NUM_CLASSES);
    assertTrue(search.numLeaves() > 16);
    assertTrue(search.numHyperplanes() > walk);
  }

  @Test
  void anEmbeddingThatIsNoNumberStillFallsSomewhere() {
    float[] strange = new float[32];
    Arrays.fill(strange, Float.NaN);
    try (var query = Clouds.matrix(new float[][] {strange, new float[32]})) {
      int[][] found = forest.candidates(Clouds.addresses(query), NUM_CLASSES, engine.workers());
      assertEquals(NUM_CLASSES, found[0].length);
      assertEquals(NUM_CLASSES, found[1].length);
    }
  }

  @Test
  void manyThreadsMayAskAtOnce() {
    int[][] expected = forest.candidates(Clouds.addresses(queries), 700, engine.workers());
    var equal =
        IntStream.range(0, 40 * NUM_QUERIES)
            .parallel()
            .map(i -> i % NUM_QUERIES)
            .allMatch(
                query -> {
                  var search = forest.newSearch();
                  search.search(queries.address(query), 700);
                  return Arrays.equals(expected[query], search.classIds());
                });
    assertTrue(equal);
  }
}
