// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.SplittableRandom;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.compute.RowFormat;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.head.HeadProblem;
import megaclass.head.HeadProvider;
import megaclass.head.HeadSettings;
import megaclass.head.Precision;
import megaclass.loss.Loss;
import megaclass.optim.OptimizerSpec;
import megaclass.optim.SparseOptimizer;
import megaclass.select.SelectorSpec;
import megaclass.weights.ClassWeights;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a head takes of the memory of a device is what was said before. */
class CudaMemoryTest {
  private static final int NUM_CLASSES = 6000;
  private static final int DIM = 200;
  private static final int BATCH = 64;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "all                            | FP32",
        "uniform(0.5, corrected=true)   | BF16",
        "uniform(0.5, corrected=true) + groups(4) | FP32",
        "uniform(0.1) + groups(64)      | BF16",
      })
  void theForecastIsRight(String selector, Precision precision) {
    assumeTrue(HostCuda.isEmulated(), "a GPU takes memory for itself");
    var settings =
        new HeadSettings(
            NUM_CLASSES,
            DIM,
            RowFormat.FP32,
            HeadSettings.ALL_ON_DEVICE,
            Loss.parse("normsoftmax(scale=16)"),
            SelectorSpec.parse(selector),
            OptimizerSpec.parse("sgd(momentum=0.9)"),
            BATCH,
            precision,
            0,
            1);
    HeadProvider provider = new HostCudaProvider();
    long forecast =
        provider.deviceBytes(settings).entrySet().stream()
            .filter(term -> !term.getKey().equals("CUDA and cuBLAS"))
            .mapToLong(term -> term.getValue())
            .sum();
    long taken = taken(provider, settings) - Gemm.WORKSPACE_BYTES; // cuBLAS's
    assertEquals(1, taken / (double) forecast, 0.03, taken + " of " + forecast);
  }

  /** By a head that has done a step. */
  private static long taken(HeadProvider provider, HeadSettings settings) {
    try (var engine = Engine.start("scalar", 1);
        var weights =
            ClassWeights.allocate(
                NUM_CLASSES,
                DIM,
                false,
                SparseOptimizer.stateFor(settings.optimizer()),
                settings.dtype());
        var embeddings = new Embeddings(BATCH, new Embeddings.Shape(DIM, true, false), engine);
        var data = data()) {
      weights.randomise(1, engine.workers());
      var batch = MiniBatch.range(data, 0, BATCH);
      var backbone = new FrozenBackbone(DIM);
      embeddings.begin(BATCH);
      backbone.read(batch, true);
      backbone.forward(embeddings);
      embeddings.pack(batch);
      long before = provider.device(0).freeBytes();
      try (var head = provider.open(new HeadProblem(settings, weights, 1, engine))) {
        head.begin();
        head.beginStep(0.1);
        head.select(embeddings, batch.classIds(), 0);
        head.forward(embeddings);
        head.backward(embeddings);
        head.endStep(0);
        return before - provider.device(0).freeBytes();
      }
    }
  }

  private static Dataset data() {
    var random = new SplittableRandom(1);
    float[][] features = new float[NUM_CLASSES][DIM];
    String[] labels = new String[NUM_CLASSES];
    for (int i = 0; i < NUM_CLASSES; i++) {
      for (int j = 0; j < DIM; j++) {
        features[i][j] = (float) random.nextGaussian();
      }
      labels[i] = "c" + i;
    }
    return Dataset.of(features, labels);
  }
}
