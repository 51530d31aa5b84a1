// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertIterableEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import megaclass.backbone.Backbone;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.BatchReader;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.testkit.BackboneRun.Gradients;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every {@link Backbone} must keep to, as tests: extend it in the tests of a new backbone,
 * once for each setting that matters, such as with dropout and without.
 *
 * <ul>
 *   <li>Embeddings are a function of parameters, examples and, in training, the step, to the last
 *       bit: the same at any number of threads, and whatever was embedded before.
 *   <li>The touched rows are those that backward gives a gradient to, once each; no other row has
 *       any influence.
 *   <li>The gradients are those of what forward computes, under the dropout of the step.
 * </ul>
 *
 * Tests run on the backend that {@code -Dmegaclass.backend} names, {@code auto} by default.
 */
public abstract class BackboneContract {
  private static final String BACKEND = System.getProperty("megaclass.backend", "auto");
  private static final int LARGEST_BATCH = 130;
  private static final long SEED = 7;

  private Dataset data;

  /** For subclasses. */
  protected BackboneContract() {}

  /**
   * Examples that the backbone embeds, at least 200 of them; called for each test, which closes
   * them. Not all alike, and few enough rows touched by one of them to leave others untouched.
   */
  protected abstract Dataset examples();

  /**
   * Makes the backbone under test, with the same small parameters each time; it is closed when a
   * test is done with it. Parameters that it does not own are the subclass's to free, in a method
   * that runs after each test.
   */
  protected abstract Backbone backbone(Engine engine);

  /**
   * What holds gradients against central differences. The function is computed in float32, so that
   * a step must be some thousand times its rounding; backbones with kinks may want a smaller one.
   */
  protected GradientChecker gradientChecker() {
    return new GradientChecker(0x1p-6, 1e-3);
  }

  @BeforeEach
  final void openExamples() {
    data = examples();
    assertTrue(data.numExamples() >= 200, data.numExamples() + " examples are too few");
  }

  @AfterEach
  final void closeExamples() {
    data.close();
  }

  // ---- forward -------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(ints = {1, 63, 64, 65})
  void theSameBatchGivesTheSameEmbeddings(int batchSize) {
    try (var run = run(2);
        var other = run(2)) {
      List<List<Float>> first = run.embed(batch(batchSize, 3), true);
      List<Integer> touched = run.touched();
      assertSame(first, run.embed(batch(batchSize, 3), true), "read again");
      run.embed(batch(batchSize, 4), true);
      assertSame(first, run.embed(batch(batchSize, 3), true), "after another step");
      assertIterableEquals(touched, run.touched(), "rows touched after another step");
      assertSame(first, other.embed(batch(batchSize, 3), true), "by another one");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 63, 64, 65})
  void oneThreadAndThreeComputeTheSame(int batchSize) {
    try (var one = run(1);
        var three = run(3)) {
      MiniBatch batch = batch(batchSize, 3);
      assertSame(one.embed(batch, false), three.embed(batch, false), "outside training");
      assertSame(one.embed(batch, true), three.embed(batch, true), "in training");
      assertSame(one.gradients(batch), three.gradients(batch));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 63, 64, 65})
  void aLargerBatchLeavesNothingBehind(int batchSize) {
    try (var used = run(2);
        var fresh = run(2)) {
      used.gradients(batch(LARGEST_BATCH, 0));
      MiniBatch batch = batch(batchSize, 3);
      assertSame(fresh.embed(batch, false), used.embed(batch, false), "outside training");
      assertSame(fresh.embed(batch, true), used.embed(batch, true), "in training");
      assertIterableEquals(fresh.touched(), used.touched(), "rows touched");
      assertSame(fresh.gradients(batch), used.gradients(batch));
    }
  }

  /** Kernels read whole rows: what is not zero there would count. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void zerosStandBehindAnEmbedding(boolean training) {
    try (var run = run(2)) {
      int dim = run.backbone().dim();
      for (List<Float> row : run.embed(batch(65, 3), training)) {
        assertTrue(row.stream().skip(dim).allMatch(value -> value == 0), () -> row.toString());
      }
    }
  }

  @Test
  void anEmbeddingIsFinite() {
    try (var run = run(2)) {
      for (List<Float> row : run.embed(MiniBatch.range(data, 0, LARGEST_BATCH), false)) {
        assertTrue(row.stream().allMatch(Float::isFinite), () -> row.toString());
      }
    }
  }

  /** As prediction needs it: dropout is for training. */
  @Test
  void outsideTrainingTheStepAndTheRestOfTheBatchDoNotMatter() {
    try (var run = run(2)) {
      MiniBatch batch = batch(65, 3);
      List<List<Float>> together = run.embed(batch, false);
      for (int i = 0; i < batch.size(); i++) {
        List<Float> alone =
            run.embed(MiniBatch.of(data, new long[] {batch.example(i)}), false).getFirst();
        for (int j = 0; j < alone.size(); j++) {
          float value = alone.get(j);
          assertEquals(value, together.get(i).get(j), 1e-5 * Math.max(1, Math.abs(value)));
        }
      }
    }
  }

  // ---- touched rows and gradients ------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(ints = {1, 63, 64, 65})
  void touchedRowsAreDistinctAndThoseThatGetAGradient(int batchSize) {
    try (var run = run(3)) {
      Gradients gradients = run.gradients(batch(batchSize, 3));
      List<Integer> touched = run.touched();
      RowMatrix parameters = run.backbone().parameters();
      int numRows = parameters == null ? 0 : parameters.numRows();
      assertTrue(touched.stream().allMatch(row -> 0 <= row && row < numRows), "a row is none");
      assertEquals(new TreeSet<>(touched).size(), touched.size(), "a row is listed twice");
      assertIterableEquals(
          touched.stream().sorted().toList(),
          gradients.rowsInOrderOfCalls().stream().sorted().toList(),
          "rows that got a gradient");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 63, 64, 65})
  void gradientsMatchCentralDifferences(int batchSize) {
    try (var run = run(2)) {
      RowMatrix parameters = run.backbone().parameters();
      MiniBatch batch = batch(batchSize, 3);
      Gradients gradients = run.gradients(batch);
      if (parameters == null) {
        assertEquals(List.of(), gradients.rowsInOrderOfCalls());
        return;
      }
      int width = parameters.width();
      int[] rows = run.touched().stream().mapToInt(row -> row).toArray();
      double[][] gradient = new double[rows.length][];
      double[][] values = new double[rows.length][];
      for (int r = 0; r < rows.length; r++) {
        int row = rows[r];
        List<Float> given = gradients.byRow().getOrDefault(row, List.of());
        assertTrue(given.stream().skip(width).allMatch(value -> value == 0), () -> "not padded");
        gradient[r] = given.stream().limit(width).mapToDouble(value -> value).toArray();
        values[r] = IntStream.range(0, width).mapToDouble(j -> parameters.get(row, j)).toArray();
      }
      gradientChecker()
          .check(
              "touched rows",
              () -> {
                set(parameters, rows, values);
                return run.value(batch);
              },
              values,
              gradient);
    }
  }

  private static void set(RowMatrix parameters, int[] rows, double[][] values) {
    for (int r = 0; r < rows.length; r++) {
      for (int j = 0; j < values[r].length; j++) {
        parameters.set(rows[r], j, (float) values[r][j]);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 63, 64, 65})
  void aRowThatIsNotTouchedHasNoInfluence(int batchSize) {
    try (var run = run(2)) {
      MiniBatch batch = batch(batchSize, 3);
      List<List<Float>> before = run.embed(batch, true);
      Gradients gradients = run.gradients(batch);
      RowMatrix parameters = run.backbone().parameters();
      var touched = new TreeSet<>(run.touched());
      for (int row = 0; parameters != null && row < parameters.numRows(); row++) {
        for (int j = 0; !touched.contains(row) && j < parameters.width(); j++) {
          parameters.set(row, j, 1e6f);
        }
      }
      assertSame(before, run.embed(batch, true), "after the others changed");
      assertSame(gradients, run.gradients(batch));
    }
  }

  // ---- what the tests share ------------------------------------------------------------------

  /** A failure names the first value that differs, as [sample][column], not all of them. */
  private static void assertSame(
      List<List<Float>> expected, List<List<Float>> actual, String when) {
    assertIterableEquals(expected, actual, "embeddings " + when);
  }

  private static void assertSame(Gradients expected, Gradients actual) {
    assertIterableEquals(expected.byRow().keySet(), actual.byRow().keySet(), "rows with gradient");
    assertIterableEquals(expected.byRow().values(), actual.byRow().values(), "gradients");
  }

  private BackboneRun run(int threads) {
    var engine = Engine.start(BACKEND, threads);
    return new BackboneRun(engine, backbone(engine), LARGEST_BATCH);
  }

  private MiniBatch batch(int batchSize, long step) {
    return new BatchReader(data, batchSize, 1, SEED).batch(step % (data.numExamples() / batchSize));
  }
}
