// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import megaclass.data.Dataset;
import megaclass.data.PlantedClasses;
import megaclass.head.Precision;
import megaclass.loss.Loss;
import megaclass.model.Classifier;
import megaclass.select.SelectorSpec;
import megaclass.train.TrainConfig;
import megaclass.train.Trainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole runs on a device, by the road that users take, over the host driver. */
class CudaRunTest {
  private static final Duration NEVER = Duration.ofDays(1);

  @TempDir Path folder;

  private static Dataset data(int sample) {
    return Dataset.synthetic(
        PlantedClasses.defaults()
            .withNumClasses(200)
            .withDim(24)
            .withExamplesPerClass(6)
            .withNoise(0.6f)
            .withSample(sample));
  }

  private static TrainConfig config(String loss, String selector) {
    return TrainConfig.defaults()
        .withDim(24)
        .withLoss(Loss.parse(loss))
        .withSelector(SelectorSpec.parse(selector))
        .withLearningRate(0.5)
        .withBatchSize(64)
        .withEpochs(2)
        .withThreads(1);
  }

  private static double accuracy(Classifier classifier) {
    try (var test = data(1)) {
      return classifier.evaluate(test).top1();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "normsoftmax(scale=16)         | all                          | tf32",
        "cosface(scale=16, margin=0.1) | uniform(0.2, corrected=true) | bf16",
        "arcface(scale=16, margin=0.1) | ivf(0.2) + tail(0.25)        | fp32",
        "normsoftmax(scale=16)         | ivf(0.1) + groups(4)         | bf16"
      })
  void aRunOnTheDeviceLearnsAsOneOnTheHost(String loss, String selector, String precision) {
    var config = config(loss, selector).withDevicePrecision(Precision.parse(precision));
    try (var data = data(0);
        var onHost = new Trainer(config).fit(data, _ -> {});
        var onDevice = new Trainer(config.withBackend(HostCudaProvider.NAME)).fit(data, _ -> {})) {
      double expected = accuracy(onHost);
      assertTrue(expected > 0.5, "the host finds " + expected);
      assertEquals(expected, accuracy(onDevice), 0.01);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ivf(0.2)", "ivf(0.1) + tail(0.25) + groups(4)"})
  void aRunThatWasStoppedGoesOnToTheSameBits(String selector) throws IOException {
    var config =
        config("normsoftmax(scale=16)", selector).withEpochs(1).withBackend(HostCudaProvider.NAME);
    try (var data = data(0)) {
      byte[] whole = model(new Trainer(config), data, "whole");
      var steps = new AtomicInteger();
      var trainer = new Trainer(config).withCheckpoints(folder.resolve("run"), NEVER, true);
      trainer.stopWhen(() -> steps.incrementAndGet() == 10).fit(data, _ -> {}).close();
      assertArrayEquals(whole, model(trainer, data, "resumed"));
    }
  }

  private byte[] model(Trainer trainer, Dataset data, String name) throws IOException {
    Path file = folder.resolve(name + ".mcm");
    try (var classifier = trainer.fit(data, _ -> {})) {
      classifier.save(file);
    }
    return Files.readAllBytes(file);
  }

  @Test
  void aSelectorThatTheDeviceDoesNotHaveIsRefusedByName() {
    var config = config("normsoftmax(scale=16)", "forest(0.1)").withBackend(HostCudaProvider.NAME);
    try (var data = data(0)) {
      var e =
          assertThrows(
              IllegalArgumentException.class, () -> new Trainer(config).fit(data, _ -> {}));
      assertTrue(
          String.valueOf(e.getMessage()).contains("but the selector is forest(0.1"),
          e.getMessage());
    }
  }
}
