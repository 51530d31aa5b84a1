// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.compute.RowFormat;
import megaclass.index.BinaryIvf;
import megaclass.index.BinaryIvf.Code;
import megaclass.index.BinaryIvf.Settings;
import megaclass.index.Candidates;
import megaclass.index.IndexedRows;
import megaclass.index.Rotation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The index of the device beside that of the core. */
class DeviceIvfTest {
  private static final int NUM_CLASSES = 1200;
  private static final int DIM = 40;
  private static final int BATCH = 33;
  private static final long SEED = 5;

  /** Both indexes over the same class weights. */
  private static final class Both implements AutoCloseable {
    final IndexProblem on = new IndexProblem(NUM_CLASSES, DIM, BATCH, RowFormat.FP32, false);
    final Engine engine = Engine.start("scalar", 1);
    final Embeddings embeddings = on.forCore(engine);
    final BinaryIvf core;
    final DeviceIvf ivf;

    Both(Settings settings, boolean normalised) {
      core =
          new BinaryIvf(
              new IndexedRows(on.matrix, normalised, engine.backend()), settings, SEED, engine);
      var rotation = new Rotation(DIM, DeviceIvf.rotationSeed(SEED), engine.backend());
      ivf =
          new DeviceIvf(
              on.device,
              new DeviceIndexedRows(on.rows, normalised),
              settings,
              SEED,
              rotation,
              on.sort);
    }

    /** Share of what the core finds that the device finds too, with the same scores. */
    double agreement(int effort) {
      var expected = new Candidates(BATCH);
      core.search(embeddings, effort, expected);
      var found = ivf.search(on.packed.address(), BATCH, effort);
      int perSample = found.perSample();
      int[] ids = DeviceArrays.ints(on.device, found.ids(), BATCH * perSample);
      float[] scores = DeviceArrays.floats(on.device, found.scores(), BATCH * perSample);
      int total = 0;
      int agreed = 0;
      for (int i = 0; i < BATCH; i++) {
        int[] own = Arrays.copyOfRange(ids, i * perSample, (i + 1) * perSample);
        int count = (int) Arrays.stream(own).filter(id -> id >= 0).count();
        assertEquals(expected.size(i), count);
        total += count;
        for (int k = 0; k < count; k++) {
          int id = expected.classId(i, k);
          for (int at = 0; at < count; at++) {
            if (own[at] == id) {
              assertEquals(expected.score(i, k), scores[i * perSample + at], 2e-6);
              agreed++;
            }
          }
        }
      }
      return (double) agreed / total;
    }

    void moveSome(long seed) {
      var random = new SplittableRandom(seed);
      int[] ids = random.ints(300, 0, NUM_CLASSES).distinct().toArray();
      for (int id : ids) {
        float[] row = on.row(id % 3 == 0 ? random.nextInt(NUM_CLASSES) : id);
        for (int j = 0; j < DIM; j++) {
          on.matrix.set(id, j, row[j] + 0.02f * (random.nextFloat() - 0.5f));
        }
      }
      on.rows.upload(on.matrix);
      Arrays.stream(ids).forEach(id -> core.moved(id, 0));
      ivf.moved(RowChoice.of(on.ints(ids), 0, ids.length));
    }

    void assertSameState() {
      var expected = IndexProblem.sections(core.state());
      var state = IndexProblem.sections(ivf.state());
      assertArrayEquals(
          expected.apply("lists").toArray(JAVA_INT), state.apply("lists").toArray(JAVA_INT));
      assertArrayEquals(
          expected.apply("centroids").toArray(JAVA_FLOAT),
          state.apply("centroids").toArray(JAVA_FLOAT),
          1e-6f);
    }

    @Override
    public void close() {
      ivf.close();
      core.close();
      embeddings.close();
      engine.close();
      on.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"RABITQ, false", "RABITQ, true", "HAMMING, false", "HAMMING, true"})
  void aRestoredIndexFindsWhatTheCoreFinds(Code code, boolean normalised) {
    var settings = new Settings(40, 9, 30, 40, code);
    try (var both = new Both(settings, normalised)) {
      both.core.build();
      both.ivf.restore(IndexProblem.sections(both.core.state()));
      assertTrue(both.agreement(1) > 0.995);
      assertTrue(both.agreement(4) > 0.995);
      for (int step = 0; step < 3; step++) {
        both.moveSome(step);
        assertTrue(both.agreement(1) > 0.995, "after step " + step);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Code.class)
  void listsAreRepairedAsInTheCore(Code code) {
    int numLists = 25;
    var settings = new Settings(numLists, 7, 20, numLists, code);
    try (var both = new Both(settings, false)) {
      both.core.build();
      both.ivf.restore(IndexProblem.sections(both.core.state()));
      for (int step = 0; step < 2 * numLists; step++) {
        both.moveSome(step);
        both.core.endStep(step);
        both.ivf.endStep(step);
        both.assertSameState();
      }
      assertTrue(both.agreement(1) > 0.995);
    }
  }

  @Test
  void aListThatOverflowsIsLaidOutAnew() {
    int numLists = 20;
    try (var both = new Both(new Settings(numLists, 5, 20, 1, Code.RABITQ), false)) {
      both.ivf.build();
      int[] all = IntStream.range(0, NUM_CLASSES).toArray();
      for (int c : all) {
        for (int j = 0; j < DIM; j++) {
          both.on.matrix.set(c, j, both.on.matrix.get(7, j));
        }
      }
      both.on.rows.upload(both.on.matrix);
      both.ivf.moved(RowChoice.range(0, NUM_CLASSES));
      both.ivf.endStep(0);
      both.core.restore(IndexProblem.sections(both.ivf.state()));
      int[] listOf = IndexProblem.sections(both.ivf.state()).apply("lists").toArray(JAVA_INT);
      assertEquals(1, Arrays.stream(listOf).distinct().count());
      assertEquals(1.0, both.agreement(20)); // all classes are equal: ties, by their ids
    }
  }

  @Test
  void anIndexThatIsBuiltFindsWhatTheCoresFinds() {
    try (var both = new Both(new Settings(40, 40, NUM_CLASSES, 40, Code.RABITQ), false)) {
      both.core.build();
      both.ivf.build();
      assertEquals(1.0, both.agreement(1)); // everything
    }
    try (var both = new Both(new Settings(40, 12, 50, 40, Code.RABITQ), false)) {
      both.core.build();
      both.ivf.build();
      assertTrue(both.agreement(1) > 0.97);
    }
  }

  @Test
  void aStepThatEndsWithAnInfiniteWeightNamesItsClass() {
    try (var both = new Both(new Settings(4, 2, 5, 40, Code.RABITQ), false)) {
      both.ivf.build();
      both.on.matrix.set(99, 7, Float.POSITIVE_INFINITY);
      both.on.rows.upload(both.on.matrix);
      both.ivf.endStep(0); // it has not moved yet
      both.ivf.moved(RowChoice.range(90, 20));
      var e = assertThrows(ArithmeticException.class, () -> both.ivf.endStep(1));
      String message = String.valueOf(e.getMessage());
      assertTrue(message.startsWith("the weight of class 99 is not finite"), message);
    }
  }

  @Test
  void theStateOfOtherClassesIsRefused() {
    try (var both = new Both(new Settings(4, 2, 5, 40, Code.RABITQ), false)) {
      MemorySegment few = Arena.ofAuto().allocate(4 * 7);
      var e = assertThrows(IllegalArgumentException.class, () -> both.ivf.restore(_ -> few));
      assertEquals(
          "the saved index holds 7 classes, but there are 1,200; resume with the model that it was"
              + " saved with",
          e.getMessage());
    }
  }
}
