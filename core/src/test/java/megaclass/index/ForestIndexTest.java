// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import megaclass.TestBackend;
import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.internal.Hash;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an index of a forest finds; {@link ForestRefreshTest} says when it finds what. */
class ForestIndexTest {
  private static final int NUM_CLASSES = 1200;
  private static final int DIM = 40;
  private static final int BATCH = 70;
  private static final float[][] WEIGHTS = Rows.inFamilies(NUM_CLASSES, DIM, 1);
  private static final float[][] FEATURES =
      IntStream.range(0, BATCH).mapToObj(i -> WEIGHTS[i * 17].clone()).toArray(float[][]::new);

  /** An index over the weights, and a batch to ask for. */
  private static final class Case implements AutoCloseable {
    final Engine engine = Engine.start(TestBackend.NAME, 2);
    final RowMatrix matrix = Rows.matrix(WEIGHTS);
    final Embeddings embeddings;
    final ForestIndex index;
    final boolean normalised;

    Case(boolean normalised, int numTrees, int leafSize, int numCandidates, int numKept) {
      this.normalised = normalised;
      embeddings = Rows.pack(FEATURES, normalised, engine);
      var forest = new HashingForest.Settings(numTrees, leafSize);
      var settings = new ForestIndex.Settings(forest, numCandidates, numKept, 10, 0);
      var rows = new IndexedRows(matrix, normalised, engine.backend());
      index = new ForestIndex(rows, settings, 5, engine);
      index.build();
    }

    Candidates search() {
      var found = new Candidates(BATCH);
      index.search(embeddings, 1, found);
      return found;
    }

    double exact(int sample, int classId) {
      double product = Rows.dot(FEATURES[sample], WEIGHTS[classId]);
      return normalised
          ? product
              / Math.sqrt(
                  Rows.dot(FEATURES[sample], FEATURES[sample])
                      * Rows.dot(WEIGHTS[classId], WEIGHTS[classId]))
          : product;
    }

    int[] best(int sample, int count) {
      return IntStream.range(0, NUM_CLASSES)
          .boxed()
          .sorted(Comparator.comparingDouble(c -> -exact(sample, c)))
          .limit(count)
          .mapToInt(c -> c)
          .sorted()
          .toArray();
    }

    double recallAt10() {
      var found = search();
      double hits = 0;
      for (int sample = 0; sample < BATCH; sample++) {
        int[] ids = ids(found, sample);
        hits +=
            Arrays.stream(best(sample, 10)).filter(c -> Arrays.binarySearch(ids, c) >= 0).count();
      }
      return hits / (10 * BATCH);
    }

    @Override
    public void close() {
      index.close();
      embeddings.close();
      matrix.close();
      engine.close();
    }
  }

  private static int[] ids(Candidates found, int sample) {
    return IntStream.range(0, found.size(sample))
        .map(i -> found.classId(sample, i))
        .sorted()
        .toArray();
  }

  @ParameterizedTest
  @CsvSource({"false, 5000, 0", "true, 1200, 0", "false, 9, 1200", "true, 9, 1200"})
  void oneLeafForAllClassesOrAllBranchesAreExactSearch(
      boolean normalised, int leafSize, int numCandidates) {
    try (var with = new Case(normalised, 3, leafSize, numCandidates, NUM_CLASSES)) {
      var found = with.search();
      for (int sample = 0; sample < BATCH; sample++) {
        assertArrayEquals(IntStream.range(0, NUM_CLASSES).toArray(), ids(found, sample));
        for (int i = 0; i < NUM_CLASSES; i++) {
          double exact = with.exact(sample, found.classId(sample, i));
          assertEquals(exact, found.score(sample, i), 1e-5);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void ofAllThatIsFoundTheBestScoredAreKept(boolean normalised) {
    try (var with = new Case(normalised, 2, NUM_CLASSES, 0, 13)) {
      var found = with.search();
      for (int sample = 0; sample < BATCH; sample++) {
        assertArrayEquals(with.best(sample, 13), ids(found, sample));
      }
    }
  }

  @Test
  void whatIsFoundIsTheUnionOfTheLeavesOfAllTrees() {
    try (var with = new Case(true, 6, 8, 0, NUM_CLASSES);
        var forest =
            HashingForest.build(
                with.matrix, true, new HashingForest.Settings(6, 8), Hash.key(5, 0), with.engine)) {
      int[] leaves = new int[6 * BATCH];
      long[] rows = IntStream.range(0, BATCH).mapToLong(with.embeddings::row).toArray();
      forest.leaves(rows, with.engine.workers(), leaves);
      var found = with.search();
      for (int sample = 0; sample < BATCH; sample++) {
        int first = 6 * sample;
        int[] union =
            IntStream.range(0, 6)
                .flatMap(
                    tree ->
                        IntStream.range(
                                forest.leafFrom(tree, leaves[first + tree]),
                                forest.leafTo(tree, leaves[first + tree]))
                            .map(at -> forest.classId(tree, at)))
                .distinct()
                .sorted()
                .toArray();
        assertArrayEquals(union, ids(found, sample));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void recallRisesWithTheNumberOfTreesAndWithTheBranchesFollowed(boolean normalised) {
    double before = 0;
    for (int numTrees : new int[] {1, 4, 16, 64}) {
      try (var leaves = new Case(normalised, numTrees, 16, 0, NUM_CLASSES);
          var branches = new Case(normalised, numTrees, 16, 600, NUM_CLASSES)) {
        double recall = leaves.recallAt10();
        assertTrue(recall > before, numTrees + " trees find " + recall + " after " + before);
        before = recall;
        double more = branches.recallAt10();
        assertTrue(more >= recall, recall + ", and with more branches " + more);
      }
    }
    assertTrue(before > 0.9, "recall of many trees: " + before);
  }

  @Test
  void theDriftIsHowFarRowsHaveGoneRelativeToTheirLength() {
    try (var plain = new Case(false, 2, 100, 0, 10);
        var normalised = new Case(true, 2, 100, 0, 10)) {
      for (Case each : new Case[] {plain, normalised}) {
        assertEquals(0, each.index.drift(), 1e-6);
        for (int c = 0; c < NUM_CLASSES; c++) {
          for (int j = 0; j < DIM; j++) {
            each.matrix.set(c, j, 1.5f * WEIGHTS[c][j]);
          }
        }
      }
      assertEquals(0.5, plain.index.drift(), 1e-5);
      assertEquals(0, normalised.index.drift(), 1e-5, "a direction has not moved");
      for (int c = 0; c < NUM_CLASSES; c++) {
        Rows.set(normalised.matrix, c, new float[DIM]);
      }
      assertEquals(1, normalised.index.drift(), 1e-5, "as far as the origin");
    }
  }

  @Test
  void theForecastIsThatOfTwoForestsAndACopyOfTheWeights() {
    try (var with = new Case(true, 20, 16, 0, 10);
        var forest =
            HashingForest.build(
                with.matrix, true, new HashingForest.Settings(20, 16), 5, with.engine)) {
      long copy = with.matrix.sizeInBytes();
      long forecast = ForestIndex.sizeInBytes(NUM_CLASSES, DIM, forest.settings());
      double bytes = 2 * forest.sizeInBytes() + copy + 68.0 * NUM_CLASSES;
      assertEquals(1, forecast / bytes, 0.1, forecast + " for " + bytes);
    }
  }

  @Test
  void anEmptyIndexSaysSo() {
    try (var engine = Engine.start(TestBackend.NAME, 1);
        var matrix = Rows.matrix(WEIGHTS)) {
      var settings = new ForestIndex.Settings(HashingForest.Settings.defaults(), 0, 10, 10, 0);
      try (var index =
          new ForestIndex(new IndexedRows(matrix, true, engine.backend()), settings, 5, engine)) {
        var e = assertThrows(IllegalStateException.class, index::state);
        assertEquals("the index is empty; build it first", e.getMessage());
      }
    }
  }
}
