// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.Arrays;
import java.util.SplittableRandom;
import megaclass.TestBackend;
import megaclass.compute.Engine;
import megaclass.data.MiniBatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Features pass through unchanged. */
class FrozenBackboneTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 15, 16, 17, 100})
  void embeddingsAreTheFeaturesOfTheExamplesAskedFor(int dim) {
    float[][] features = Batches.normal(new SplittableRandom(dim), 5, dim);
    try (var engine = Engine.start(TestBackend.NAME, 1);
        var data = Batches.rows(features);
        var embeddings = Batches.plain(3, dim, engine);
        var backbone = new FrozenBackbone(dim)) {
      backbone.read(MiniBatch.of(data, new long[] {4, 0, 4}), true);
      embeddings.begin(3);
      backbone.forward(embeddings);
      int stride = embeddings.stride();
      assertArrayEquals(
          Arrays.copyOf(features[4], stride), Batches.read(embeddings.row(0), stride));
      assertArrayEquals(
          Arrays.copyOf(features[0], stride), Batches.read(embeddings.row(1), stride));
      assertArrayEquals(
          Arrays.copyOf(features[4], stride), Batches.read(embeddings.row(2), stride));
    }
  }

  @Test
  void nothingIsTrained() {
    try (var engine = Engine.start(TestBackend.NAME, 1);
        var data = Batches.rows(new float[][] {{1, 2}});
        var embeddings = Batches.plain(1, 2, engine);
        var backbone = new FrozenBackbone(2)) {
      assertEquals(2, backbone.dim());
      assertNull(backbone.parameters());
      backbone.read(MiniBatch.range(data, 0, 1), true);
      assertEquals(0, backbone.numTouched());
      var e = assertThrows(IndexOutOfBoundsException.class, () -> backbone.touched(0));
      assertEquals("a backbone without parameters touches no row", e.getMessage());
      embeddings.begin(1);
      backbone.forward(embeddings);
      backbone.backward(embeddings, (row, _, _) -> fail("moved row " + row));
    }
  }

  @Test
  void forwardNeedsABatch() {
    try (var engine = Engine.start(TestBackend.NAME, 1);
        var embeddings = Batches.plain(1, 2, engine);
        var backbone = new FrozenBackbone(2)) {
      var e = assertThrows(IllegalStateException.class, () -> backbone.forward(embeddings));
      assertEquals("read a batch before forward", e.getMessage());
    }
  }
}
