// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import megaclass.TestBackend;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.data.Dataset;
import megaclass.data.Labels;
import megaclass.data.NpyFeatures;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddingSetTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 127, 128, 129, 513})
  void embeddingsOfADataSetAreItsFeaturesAtUnitLengthInOrder(int size) {
    var scene = Scene.ofNoise(size, 7, 5);
    var labels = IntStream.of(scene.classIds()).mapToObj(c -> "c" + c).toArray(String[]::new);
    try (var data = Dataset.of(scene.rows(), labels);
        var engine = Engine.start(TestBackend.NAME, 2);
        var backbone = new FrozenBackbone(5);
        var set = EmbeddingSet.of(backbone, data, engine)) {
      assertEquals(size, set.size());
      assertArrayEquals(scene.classIds(), set.classIds());
      for (int i = 0; i < size; i++) {
        assertEquals(1, set.score(i, i), 1e-6);
        assertEquals(scene.score(0, i), set.score(0, i), 1e-6);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 13, 64})
  void savedEmbeddingsAreReadBackBitForBit(int dim, @TempDir Path folder) throws Exception {
    var scene = Scene.ofNoise(37, 4, dim);
    var npy = folder.resolve("e.npy");
    var labels = folder.resolve("e.labels.txt");
    Files.write(labels, IntStream.of(scene.classIds()).mapToObj(c -> "c" + c).toList());
    scene.on(
        1,
        set -> {
          set.save(npy);
          try (var known = new Labels.Builder();
              var read = Dataset.read(NpyFeatures.open(npy, labels), known)) {
            for (int i = 0; i < set.size(); i++) {
              assertArrayEquals(set.embedding(i), read.features(i));
            }
          }
          return 0;
        });
  }

  @Test
  void anEmbeddingWithoutDirectionIsNamed() {
    var scene = new Scene(new float[][] {{1, 0}, {0, 0}}, new int[] {0, 1});
    var e = assertThrows(ArithmeticException.class, () -> scene.on(1, EmbeddingSet::size));
    assertEquals(
        "embedding 1 has length 0.0, which has no direction; leave it out", e.getMessage());
  }
}
