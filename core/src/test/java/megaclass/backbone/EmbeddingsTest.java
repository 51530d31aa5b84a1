// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import megaclass.TestBackend;
import megaclass.compute.Engine;
import megaclass.data.MiniBatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The layouts that the kernels read, and the way back through the normalisation. */
class EmbeddingsTest {
  private static final int PANEL = 64;

  static Stream<Arguments> shapes() {
    return Stream.of(1, 15, 16, 63, 64, 65, 130)
        .flatMap(dim -> Stream.of(1, 63, 64, 65).map(size -> Arguments.of(dim, size)));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void panelsAndBlocksHoldTheUnitRows(int dim, int size) {
    float[][] features = Batches.normal(new SplittableRandom(dim), size, dim);
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var data = Batches.rows(features);
        var embeddings = new Embeddings(100, new Embeddings.Shape(dim, true, false), engine)) {
      fillWithRubbish(embeddings);
      pack(embeddings, data, size);
      int stride = embeddings.stride();
      int samples = embeddings.numPanels() * PANEL;
      for (int i = 0; i < samples; i++) {
        float[] panel = Batches.read(embeddings.panel(i / PANEL), stride * PANEL);
        for (int j = 0; j < embeddings.numBlocks() * PANEL; j++) {
          long block = embeddings.blocks() + 4L * PANEL * samples * (j / PANEL);
          float inBlock = Batches.read(block + 4L * (PANEL * i + j % PANEL), 1)[0];
          double expected = i < size && j < dim ? features[i][j] / length(features[i]) : 0;
          assertEquals(expected, inBlock, 1e-6, "block (" + i + ", " + j + ")");
          if (j < stride) {
            assertEquals(inBlock, panel[j * PANEL + i % PANEL], "panel (" + i + ", " + j + ")");
          }
          if (i < size && j < dim) {
            assertEquals(inBlock, embeddings.get(i, j));
          }
        }
      }
    }
  }

  /** What a full batch before this one left behind must not shine through. */
  private static void fillWithRubbish(Embeddings embeddings) {
    float[][] full = Batches.normal(new SplittableRandom(0), 100, embeddings.dim());
    try (var data = Batches.rows(full)) {
      pack(embeddings, data, 100);
    }
  }

  private static void pack(Embeddings embeddings, megaclass.data.Dataset data, int size) {
    var batch = MiniBatch.range(data, 0, size);
    try (var backbone = new FrozenBackbone(embeddings.dim())) {
      backbone.read(batch, false);
      embeddings.begin(size);
      backbone.forward(embeddings);
      embeddings.pack(batch);
    }
  }

  private static double length(float[] row) {
    double squares = 0;
    for (float value : row) {
      squares += (double) value * value;
    }
    return Math.sqrt(squares);
  }

  @Test
  void aConstantOneStandsBehindEachEmbeddingWhereThereIsABias() {
    float[][] features = Batches.normal(new SplittableRandom(1), 3, 16);
    try (var engine = Engine.start(TestBackend.NAME, 1);
        var data = Batches.rows(features);
        var embeddings = new Embeddings(3, new Embeddings.Shape(16, false, true), engine)) {
      for (int round = 0; round < 2; round++) {
        pack(embeddings, data, 3);
        assertEquals(17, embeddings.width());
        for (int i = 0; i < 3; i++) {
          for (int j = 0; j < 16; j++) {
            assertEquals(features[i][j], embeddings.get(i, j));
          }
          assertEquals(1f, embeddings.get(i, 16));
          assertEquals(0f, embeddings.get(i, 17));
        }
      }
    }
  }

  @Test
  void theGradientGoesBackThroughTheNormalisation() {
    int dim = 21;
    int size = 66;
    int parts = 3;
    var random = new SplittableRandom(4);
    float[][] features = Batches.normal(random, size, dim);
    float[][] gradients = Batches.normal(random, parts * size, dim);
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var arena = Arena.ofShared();
        var data = Batches.rows(features);
        var embeddings = new Embeddings(size, new Embeddings.Shape(dim, true, false), engine)) {
      pack(embeddings, data, size);
      int stride = embeddings.stride();
      long[] partials = new long[parts];
      for (int part = 0; part < parts; part++) {
        partials[part] = arena.allocate(4L * 2 * PANEL * stride, 64).address();
        for (int i = 0; i < size; i++) {
          for (int j = 0; j < dim; j++) {
            long at = partials[part] + 4L * (PANEL * (stride * (i / PANEL) + j) + i % PANEL);
            Batches.write(at, new float[] {gradients[part * size + i][j]});
          }
        }
      }
      embeddings.finishGradient(partials);
      for (int i = 0; i < size; i++) {
        double length = length(features[i]);
        double[] g = new double[dim];
        double along = 0;
        for (int j = 0; j < dim; j++) {
          for (int part = 0; part < parts; part++) {
            g[j] += gradients[part * size + i][j];
          }
          along += g[j] * features[i][j] / length;
        }
        for (int j = 0; j < dim; j++) {
          double expected = (g[j] - along * features[i][j] / length) / length;
          assertEquals(expected, embeddings.gradient(i, j), 1e-5);
        }
        assertArrayEquals(
            new float[stride - dim],
            Batches.read(embeddings.gradientRow(i) + 4L * dim, stride - dim));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {0f, 1e-30f, 1e30f})
  void anEmbeddingWithoutADirectionIsNamed(float value) {
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var data = Batches.rows(new float[][] {{1, 0}, {value, 0}});
        var embeddings = new Embeddings(2, new Embeddings.Shape(2, true, false), engine)) {
      var e = assertThrows(ArithmeticException.class, () -> pack(embeddings, data, 2));
      double length = value == 1e30f ? Double.POSITIVE_INFINITY : 0;
      assertEquals(
          "example 1 of data in memory has an embedding of length "
              + length
              + ", which has no direction; remove the example, or lower the learning rate if it is"
              + " not the data's fault",
          e.getMessage());
    }
  }

  @Test
  void zeroIsAnEmbeddingWhereNothingIsNormalised() {
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var data = Batches.rows(new float[][] {{0, 0}});
        var embeddings = Batches.plain(1, 2, engine)) {
      pack(embeddings, data, 1);
      assertEquals(0f, embeddings.get(0, 0));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 129})
  void batchesThatDoNotFitAreRefused(int size) {
    try (var engine = Engine.start(TestBackend.NAME, 1);
        var embeddings = Batches.plain(100, 2, engine)) {
      var e = assertThrows(IllegalArgumentException.class, () -> embeddings.begin(size));
      assertEquals("batch size must be in [1, 128], but was " + size, e.getMessage());
    }
  }

  @Test
  void theForecastIsWhatIsAllocated() {
    // rows, gradient rows and panels of stride floats, blocks of whole 64 columns: 128 samples
    assertEquals(4L * 128 * (3 * 32 + 64), Embeddings.sizeInBytes(100, 17));
  }
}
