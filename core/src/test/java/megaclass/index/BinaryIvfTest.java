// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.TestBackend;
import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BinaryIvfTest {
  private static final int NUM_CLASSES = 1200;
  private static final int DIM = 40;
  private static final int BATCH = 70;
  private static final float[][] WEIGHTS = Rows.inFamilies(NUM_CLASSES, DIM, 1);
  private static final float[][] FEATURES =
      IntStream.range(0, BATCH).mapToObj(i -> WEIGHTS[i * 17].clone()).toArray(float[][]::new);

  /** An index over the weights, and a batch to ask for. */
  private static final class Case implements AutoCloseable {
    final Engine engine;
    final RowMatrix matrix = Rows.matrix(WEIGHTS);
    final Embeddings embeddings;
    final BinaryIvf index;
    final boolean normalised;

    Case(boolean normalised, int threads, BinaryIvf.Settings settings) {
      this.normalised = normalised;
      engine = Engine.start(TestBackend.NAME, threads);
      embeddings = Rows.pack(FEATURES, normalised, engine);
      index =
          new BinaryIvf(new IndexedRows(matrix, normalised, engine.backend()), settings, 5, engine);
    }

    Candidates search() {
      var found = new Candidates(BATCH);
      index.search(embeddings, 1, found);
      return found;
    }

    double exact(int sample, int classId) {
      double product = Rows.dot(FEATURES[sample], weight(classId));
      return normalised
          ? product
              / Math.sqrt(
                  Rows.dot(FEATURES[sample], FEATURES[sample])
                      * Rows.dot(weight(classId), weight(classId)))
          : product;
    }

    float[] weight(int classId) {
      var row = new float[DIM];
      for (int j = 0; j < DIM; j++) {
        row[j] = matrix.get(classId, j);
      }
      return row;
    }

    /** Share of the ten best classes of each sample that is among the candidates. */
    double recallAt10() {
      var found = search();
      double hits = 0;
      for (int sample = 0; sample < BATCH; sample++) {
        int i = sample;
        int[] ids = ids(found, sample);
        hits +=
            IntStream.range(0, NUM_CLASSES)
                .boxed()
                .sorted(Comparator.comparingDouble(c -> -exact(i, c)))
                .limit(10)
                .filter(c -> Arrays.binarySearch(ids, c) >= 0)
                .count();
      }
      return hits / (10 * BATCH);
    }

    /** Moves every class a little or far, as training does. */
    void moveAll(long seed) {
      var random = new SplittableRandom(seed);
      for (int c = 0; c < NUM_CLASSES; c++) {
        float[] row = c % 5 == 0 ? WEIGHTS[random.nextInt(NUM_CLASSES)].clone() : weight(c);
        row[random.nextInt(DIM)] += 0.1f;
        Rows.set(matrix, c, row);
        index.moved(c, 0);
      }
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

  private static void assertSame(Candidates a, Candidates b) {
    for (int sample = 0; sample < BATCH; sample++) {
      assertArrayEquals(ids(a, sample), ids(b, sample), "sample " + sample);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void allListsAndAllCandidatesAreExactSearch(boolean normalised) {
    var all = new BinaryIvf.Settings(30, 30, NUM_CLASSES, 10, BinaryIvf.Code.RABITQ);
    try (var with = new Case(normalised, 2, all)) {
      with.index.build();
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
  @CsvSource({"false, RABITQ", "true, RABITQ", "false, HAMMING", "true, HAMMING"})
  void recallRisesWithListsAndWithCandidates(boolean normalised, BinaryIvf.Code code) {
    double before = 0;
    for (int[] effort : new int[][] {{1, 20}, {4, 20}, {4, 80}, {12, 160}, {40, 400}}) {
      var settings = new BinaryIvf.Settings(40, effort[0], effort[1], 10, code);
      try (var with = new Case(normalised, 2, settings)) {
        with.index.build();
        double recall = with.recallAt10();
        assertTrue(recall >= before, recall + " after " + before);
        before = recall;
      }
    }
    assertTrue(before > 0.99, "recall of a third of all classes: " + before);
  }

  /** What effort 3 finds is what three times the lists and candidates find. */
  @Test
  void moreEffortIsMoreListsAndCandidates() {
    try (var one = new Case(true, 2, new BinaryIvf.Settings(40, 3, 20, 10, BinaryIvf.Code.RABITQ));
        var three =
            new Case(true, 2, new BinaryIvf.Settings(40, 9, 60, 10, BinaryIvf.Code.RABITQ))) {
      one.index.build();
      three.index.build();
      var found = new Candidates(BATCH);
      one.index.search(one.embeddings, 3, found);
      assertSame(three.search(), found);
    }
  }

  @Test
  void fewListsAndFewCandidatesFindMost() {
    try (var with =
        new Case(true, 2, new BinaryIvf.Settings(40, 8, 60, 10, BinaryIvf.Code.RABITQ))) {
      with.index.build();
      double recall = with.recallAt10();
      assertTrue(recall > 0.85, "recall " + recall);
    }
  }

  @Test
  void whatIsFoundDependsOnNoThread() {
    var settings = new BinaryIvf.Settings(40, 5, 30, 7, BinaryIvf.Code.RABITQ);
    try (var one = new Case(true, 1, settings);
        var three = new Case(true, 3, settings)) {
      for (Case each : new Case[] {one, three}) {
        each.index.build();
        each.moveAll(3);
        for (int step = 0; step < 10; step++) {
          each.index.endStep(step);
        }
      }
      assertSame(one.search(), three.search());
    }
  }

  /** Which also says: a code that was written anew is that of an index made from scratch. */
  @Test
  void aRestoredIndexFindsTheSameAsTheOneThatWasSaved() {
    var settings = new BinaryIvf.Settings(40, 5, 30, 7, BinaryIvf.Code.RABITQ);
    try (var saved = new Case(true, 2, settings);
        var restored = new Case(true, 2, settings)) {
      saved.index.build();
      saved.moveAll(3);
      for (int step = 0; step < 5; step++) {
        saved.index.endStep(step);
      }
      var state = new HashMap<String, MemorySegment>();
      saved.index.state().forEach((name, bytes) -> state.put(name, copy(bytes)));
      for (int c = 0; c < NUM_CLASSES; c++) {
        Rows.set(restored.matrix, c, saved.weight(c));
      }
      restored.index.restore(name -> Objects.requireNonNull(state.get(name)));
      assertSame(saved.search(), restored.search());
      for (Case each : new Case[] {saved, restored}) { // and goes on in the same way
        each.moveAll(4);
        for (int step = 5; step < 20; step++) {
          each.index.endStep(step);
        }
      }
      assertSame(saved.search(), restored.search());
    }
  }

  private static MemorySegment copy(MemorySegment bytes) {
    return MemorySegment.ofArray(bytes.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
  }

  @Test
  void repairFindsAgainWhatHasMovedFar() {
    var settings = new BinaryIvf.Settings(40, 8, 60, 10, BinaryIvf.Code.RABITQ);
    try (var with = new Case(true, 2, settings)) {
      with.index.build();
      double before = with.recallAt10();
      with.moveAll(3);
      double stale = with.recallAt10();
      for (int step = 0; step < 20; step++) {
        with.index.endStep(step);
      }
      double repaired = with.recallAt10();
      assertTrue(stale < before - 0.05, "lists are stale: " + stale + " of " + before);
      assertTrue(repaired > stale + 0.05, "repaired: " + repaired + " of " + stale);
    }
  }

  @Test
  void anEmptyIndexSaysSo() {
    try (var with = new Case(true, 1, new BinaryIvf.Settings(4, 2, 5, 10, BinaryIvf.Code.RABITQ))) {
      var e = assertThrows(IllegalStateException.class, with::search);
      assertEquals("the index is empty; build it first", e.getMessage());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          0     | 1 | 1  | 1 | numLists must be in [1, 65536], but was 0
          65537 | 1 | 1  | 1 | numLists must be in [1, 65536], but was 65537
          1     | 0 | 1  | 1 | numProbes must be at least 1, but was 0
          1     | 1 | -3 | 1 | numCandidates must be at least 1, but was -3
          1     | 1 | 1  | 0 | repairEvery must be at least 1, but was 0
          """)
  void settingsThatCannotBeSayWhatCan(
      int numLists, int numProbes, int numCandidates, int repairEvery, String message) {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                new BinaryIvf.Settings(
                    numLists, numProbes, numCandidates, repairEvery, BinaryIvf.Code.RABITQ));
    assertEquals(message, e.getMessage());
  }

  @Test
  void itTakesAtMostASixteenthOfTheWeightsAtDim128() {
    long weights = 4L * 128 * 1_000_000;
    long index = BinaryIvf.sizeInBytes(1_000_000, 128, 2000);
    assertTrue(index <= weights / 16, index + " bytes");
  }
}
