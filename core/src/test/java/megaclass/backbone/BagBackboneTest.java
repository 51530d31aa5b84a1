// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import megaclass.TestBackend;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.BatchReader;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The bag against plain sums over the tokens that {@link SlowTokens} finds. */
class BagBackboneTest {
  private static final List<String> TEXTS =
      List.of(
          "",
          "  \t ",
          "a",
          "ab",
          "aaaaaaaa",
          "two words",
          "two words two words",
          "żółw 😀😀 你好",
          "x".repeat(700));

  private static final long SEED = 5;

  @ParameterizedTest
  @CsvSource({"1,1", "1,3", "5,16", "1000,17", "1000,48"})
  void anEmbeddingIsTheMeanOfTheRowsOfItsTokens(int buckets, int dim) {
    var spec = bag(2, 4, 2, buckets, 0.5); // dropout plays no part outside training
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var data = Batches.texts(TEXTS.toArray(String[]::new));
        var table = table(buckets, dim, engine);
        var embeddings = Batches.plain(TEXTS.size(), dim, engine);
        var backbone = new BagBackbone(spec, table, SEED, engine)) {
      assertEquals(dim, backbone.dim());
      assertEquals(table, backbone.parameters());
      backbone.read(MiniBatch.range(data, 0, TEXTS.size()), false);
      embeddings.begin(TEXTS.size());
      backbone.forward(embeddings);
      for (int i = 0; i < TEXTS.size(); i++) {
        int[] tokens = SlowTokens.of(spec, TEXTS.get(i));
        for (int j = 0; j < dim; j++) {
          int column = j;
          double[] values =
              Arrays.stream(tokens).mapToDouble(token -> table.get(token, column)).toArray();
          double mean = Arrays.stream(values).sum() / tokens.length;
          double size = Arrays.stream(values).map(Math::abs).max().orElseThrow();
          assertEquals(mean, embeddings.get(i, j), 0x1p-23 * (4 + tokens.length) * size);
        }
        for (float padding : Batches.read(embeddings.row(i) + 4L * dim, table.stride() - dim)) {
          assertEquals(0f, padding);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 15, 16, 17, 64, 65})
  void gradientsOfTouchedRowsAreThoseOfTheMean(int batchSize) {
    var spec = bag(1, 3, 1, 61, 0);
    int dim = 5;
    var random = new SplittableRandom(batchSize);
    String[] texts =
        IntStream.range(0, batchSize)
            .mapToObj(i -> "ab ".repeat(i % 4) + random.nextInt(1000))
            .toArray(String[]::new);
    float[][] gradients = Batches.normal(random, batchSize, dim);
    Map<Integer, double[]> expected = new TreeMap<>();
    for (int i = 0; i < batchSize; i++) {
      int[] tokens = SlowTokens.of(spec, texts[i]);
      for (int token : tokens) {
        double[] row = expected.computeIfAbsent(token, _ -> new double[dim]);
        for (int j = 0; j < dim; j++) {
          row[j] += gradients[i][j] / (double) tokens.length;
        }
      }
    }
    try (var data = Batches.texts(texts)) {
      Map<Integer, float[]> first = null;
      for (int threads : new int[] {1, 2, 5}) {
        var actual = rowGradients(spec, data, gradients, threads);
        assertEquals(expected.keySet(), actual.keySet());
        for (int row : expected.keySet()) {
          double[] sum = expected.getOrDefault(row, new double[0]);
          float[] gradient = actual.getOrDefault(row, new float[0]);
          assertTrue(dim <= gradient.length);
          for (int j = 0; j < dim; j++) {
            assertEquals(sum[j], gradient[j], 1e-5);
          }
          if (first != null) {
            assertArrayEquals(first.get(row), actual.get(row), "another number of threads");
          }
        }
        first = actual;
      }
    }
  }

  /** Gradients by row; fails when a row comes twice or touched() does not list them all. */
  private static Map<Integer, float[]> rowGradients(
      BackboneSpec.Bag spec, Dataset data, float[][] gradients, int threads) {
    int dim = gradients[0].length;
    int size = gradients.length;
    try (var engine = Engine.start(TestBackend.NAME, threads);
        var table = table(spec.buckets(), dim, engine);
        var embeddings = Batches.plain(size, dim, engine);
        var backbone = new BagBackbone(spec, table, SEED, engine)) {
      backbone.read(MiniBatch.range(data, 0, size), true);
      embeddings.begin(size);
      backbone.forward(embeddings);
      Batches.setGradients(embeddings, gradients);
      var rows = new ConcurrentHashMap<Integer, float[]>();
      backbone.backward(
          embeddings,
          (row, gradient, _) -> assertNull(rows.put(row, Batches.read(gradient, table.stride()))));
      assertEquals(new TreeMap<>(rows).keySet().stream().toList(), touched(backbone));
      return new TreeMap<>(rows);
    }
  }

  private static List<Integer> touched(Backbone backbone) {
    return IntStream.range(0, backbone.numTouched()).mapToObj(backbone::touched).toList();
  }

  @Test
  void rowsAreTouchedAsTheTokensThatDropoutKeepsSay() {
    var spec = bag(2, 4, 1, 1 << 20, 0.6);
    String text = "konstantynopolitańczykowianeczka";
    String[] texts = new String[32];
    Arrays.fill(texts, text);
    int[] all = Arrays.stream(SlowTokens.of(spec, text)).distinct().toArray();
    try (var data = Dataset.of(texts, texts);
        var one = data.split(0, 1).train()) {
      var reader = new BatchReader(one, 1, 1, 3);
      List<List<Integer>> kept = new ArrayList<>();
      for (int threads : new int[] {1, 3}) {
        kept.add(keptOfEachStep(spec, reader, threads));
      }
      assertEquals(kept.get(0), kept.get(1), "at another number of threads");
      long total = kept.get(0).stream().filter(row -> row >= 0).count();
      double deviation = Math.sqrt(0.6 * 0.4 / (32.0 * all.length));
      assertEquals(0.4, total / (32.0 * all.length), 6 * deviation);
      for (int row : kept.get(0)) {
        assertTrue(row < 0 || Arrays.binarySearch(all, row) >= 0, "no token of the text: " + row);
      }
    }
  }

  /** The touched rows of 32 steps, with -1 behind those of each. */
  private static List<Integer> keptOfEachStep(
      BackboneSpec.Bag spec, BatchReader reader, int threads) {
    try (var engine = Engine.start(TestBackend.NAME, threads);
        var table = new RowMatrix(spec.buckets(), 1, RowMatrix.State.NONE);
        var backbone = new BagBackbone(spec, table, SEED, engine)) {
      var kept = new ArrayList<Integer>();
      List<Integer> before = List.of();
      for (int step = 0; step < 32; step++) {
        backbone.read(reader.batch(step), true);
        List<Integer> rows = touched(backbone);
        assertFalse(rows.isEmpty());
        assertNotEquals(before, rows, "dropout must differ from step to step");
        backbone.read(reader.batch(step), true);
        assertEquals(rows, touched(backbone), "read again");
        kept.addAll(rows);
        kept.add(-1);
        before = rows;
      }
      return kept;
    }
  }

  @Test
  void samplesOfABatchAreDroppedOutIndependently() {
    var spec = bag(2, 4, 1, 1 << 20, 0.5);
    String text = "konstantynopolitańczykowianeczka";
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var data = Batches.texts(text, text, text);
        var table = table(1 << 20, 3, engine);
        var embeddings = Batches.plain(3, 3, engine);
        var backbone = new BagBackbone(spec, table, SEED, engine)) {
      backbone.read(MiniBatch.range(data, 0, 3), true);
      embeddings.begin(3);
      backbone.forward(embeddings);
      assertNotEquals(embeddings.get(0, 0), embeddings.get(1, 0));
      assertNotEquals(embeddings.get(1, 0), embeddings.get(2, 0));
      backbone.read(MiniBatch.range(data, 0, 3), false);
      backbone.forward(embeddings);
      assertEquals(embeddings.get(0, 0), embeddings.get(1, 0));
      assertEquals(embeddings.get(1, 0), embeddings.get(2, 0));
    }
  }

  @Test
  void aBatchLeavesNoTraceInTheNext() {
    var spec = bag(1, 2, 0, 200, 0);
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var data = Batches.texts("a very long text of many words", "b", "c", "d");
        var table = table(200, 4, engine);
        var embeddings = Batches.plain(4, 4, engine);
        var backbone = new BagBackbone(spec, table, SEED, engine);
        var fresh = new BagBackbone(spec, table, SEED, engine)) {
      backbone.read(MiniBatch.range(data, 0, 4), true);
      backbone.read(MiniBatch.range(data, 2, 1), true);
      fresh.read(MiniBatch.range(data, 2, 1), true);
      assertEquals(touched(fresh), touched(backbone));
      embeddings.begin(1);
      backbone.forward(embeddings);
      float[] after = Batches.read(embeddings.row(0), table.stride());
      fresh.forward(embeddings);
      assertArrayEquals(Batches.read(embeddings.row(0), table.stride()), after);
    }
  }

  private static RowMatrix table(int buckets, int dim, Engine engine) {
    var table = new RowMatrix(buckets, dim, RowMatrix.State.NONE);
    table.randomise(1, dim, 99, engine.workers());
    return table;
  }

  private static BackboneSpec.Bag bag(
      int minChars, int maxChars, int words, int buckets, double dropout) {
    return new BackboneSpec.Bag(
        new BackboneSpec.CharLengths(minChars, maxChars), words, buckets, dropout);
  }
}
