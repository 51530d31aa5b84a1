// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import megaclass.data.Dataset;
import megaclass.data.PlantedClasses;
import megaclass.head.HeadEngines;
import megaclass.loss.Loss;
import megaclass.model.Classifier;
import megaclass.select.SelectorSpec;
import megaclass.train.TrainConfig;
import megaclass.train.Trainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs on several devices, by the road that users take. */
class ShardedRunTest {
  private static final int STEPS = 32;

  @TempDir Path folder;

  private static Dataset data(int sample) {
    return Dataset.synthetic(
        PlantedClasses.defaults()
            .withNumClasses(170)
            .withDim(24)
            .withExamplesPerClass(6)
            .withNoise(0.6f)
            .withSample(sample));
  }

  private static TrainConfig config(String selector) {
    return TrainConfig.defaults()
        .withDim(24)
        .withLoss(Loss.parse("normsoftmax(scale=16)"))
        .withSelector(SelectorSpec.parse(selector))
        .withLearningRate(0.5)
        .withBatchSize(64)
        .withEpochs(2)
        .withThreads(1)
        .withBackend(HostCudaProvider.NAME);
  }

  private static double accuracy(Classifier classifier) {
    try (classifier;
        var test = data(1)) {
      return classifier.evaluate(test).top1();
    }
  }

  /** A checkpoint holds rows and lists of all classes, whoever had them. */
  @Test
  void aRunOnTwoDevicesGoesOnOnThreeAndOnOne() {
    var config = config("ivf(0.2)");
    try (var data = data(0)) {
      double expected = accuracy(new Trainer(config).fit(data, _ -> {}));
      assertTrue(expected > 0.5, "one device finds " + expected);
      var run = folder.resolve("run");
      for (int count = 2; count <= 3; count++) {
        var steps = new AtomicInteger();
        trainer(config.withDeviceCount(count), run)
            .stopWhen(() -> steps.incrementAndGet() == 10)
            .fit(data, _ -> {})
            .close();
      }
      var rest = new AtomicInteger();
      var trainer = trainer(config, run).stopWhen(() -> rest.incrementAndGet() == 10 * STEPS);
      assertEquals(expected, accuracy(trainer.fit(data, _ -> {})), 0.02);
      assertTrue(rest.get() > 0 && rest.get() <= STEPS - 18, rest + " steps after the checkpoint");
    }
  }

  private static Trainer trainer(TrainConfig config, Path run) {
    return new Trainer(config).withCheckpoints(run, Duration.ofDays(1), true);
  }

  @Test
  void eachDeviceIsForecastItsPartOfTheRows() {
    var provider = new HostCudaProvider();
    for (String selector : new String[] {"all", "uniform(0.1)", "ivf(0.1)"}) {
      var config = config(selector).withDim(128);
      var one = provider.deviceBytes(config.headSettings(1_000_001));
      var four = provider.deviceBytes(config.withDeviceCount(4).headSettings(1_000_001));
      assertEquals(
          one.getOrDefault("class weights", 0L) / 1_000_001 * 250_001, four.get("class weights"));
      assertTrue(four.getOrDefault("exchange", 0L) > 4 * 4 * 64 * 128, four::toString);
      assertTrue(!one.containsKey("exchange"), one::toString);
    }
  }

  @Test
  void moreDevicesThanTheMachineHasAreRefusedBeforeAnythingIsAllocated() {
    if (HostCuda.isEmulated()) {
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  HeadEngines.requireFits(
                      HostCudaProvider.NAME, config("all").withDeviceCount(5).headSettings(100)));
      assertTrue(
          String.valueOf(e.getMessage()).contains("there is no GPU number 4; this machine has 4"),
          e::toString);
    }
  }
}
