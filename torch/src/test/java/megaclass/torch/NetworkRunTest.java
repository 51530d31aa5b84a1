// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import megaclass.backbone.BackboneSpec;
import megaclass.backbone.NetworkTraining;
import megaclass.data.Dataset;
import megaclass.image.Augmentation;
import megaclass.loss.Loss;
import megaclass.model.Classifier;
import megaclass.optim.LearningRate;
import megaclass.optim.OptimizerSpec;
import megaclass.select.SelectorSpec;
import megaclass.train.TrainConfig;
import megaclass.train.Trainer;
import megaclass.weights.Initialisation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole runs of a network under the head, on images that are drawn here. */
class NetworkRunTest {
  private static final int CLASSES = 60;

  @TempDir Path folder;

  private static TrainConfig config() {
    return TrainConfig.defaults()
        .withBackbone(new BackboneSpec.SmallNet(8, 0))
        .withDim(32)
        .withInitialisation(Initialisation.RANDOM)
        .withLoss(Loss.cosFace(24, 0.2))
        .withSelector(new SelectorSpec.All())
        .withOptimizer(new OptimizerSpec.Sgd(0.9, false, 0, OptimizerSpec.LazyDecay.EXACT))
        .withLearningRate(0.5)
        .withBackboneLearningRate(0.05)
        .withSchedule(new LearningRate.Cosine(0))
        .withBatchSize(64)
        .withEpochs(5)
        .withThreads(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"all", "ivf(0.1) + tail(0.25)"})
  void drawnSignsAreLearned(String selector) {
    var config =
        config()
            .withSelector(SelectorSpec.parse(selector))
            .withNetwork(
                NetworkTraining.defaults()
                    .withAugmentation(Augmentation.parse("augment(shift=0.05, rotate=5)")));
    try (var train = DrawnImages.of(CLASSES, 0, 20);
        var test = DrawnImages.of(CLASSES, 20, 25);
        var classifier = new Trainer(config).fit(train, _ -> {})) {
      double top1 = classifier.evaluate(test).top1();
      assertTrue(top1 > 0.85, selector + ": top-1 " + top1);
    }
  }

  @Test
  void aStoppedRunGoesOnToTheSameModel() throws Exception {
    var config =
        config()
            .withEpochs(1)
            .withBackbone(new BackboneSpec.SmallNet(4, 0.2))
            .withNetwork(
                NetworkTraining.defaults()
                    .withAugmentation(Augmentation.parse("augment(shift=0.1, noise=0.05)")));
    try (var train = DrawnImages.of(40, 0, 8);
        var test = DrawnImages.of(40, 8, 9)) {
      var whole = trainer(config, test, folder.resolve("whole"));
      try (var classifier = whole.fit(train, _ -> {})) {
        classifier.save(folder.resolve("whole.mcm"));
      }
      var steps = new AtomicInteger();
      var parts = trainer(config, test, folder.resolve("parts"));
      parts.stopWhen(() -> steps.incrementAndGet() == 2).fit(train, _ -> {}).close();
      var resumed = parts.withCheckpoints(folder.resolve("parts"), Duration.ofDays(1), true);
      try (var classifier = resumed.fit(train, _ -> {})) {
        classifier.save(folder.resolve("parts.mcm"));
      }
      assertArrayEquals(
          Files.readAllBytes(folder.resolve("whole.mcm")),
          Files.readAllBytes(folder.resolve("parts.mcm")));
    }
  }

  private static Trainer trainer(TrainConfig config, Dataset test, Path checkpoints) {
    return new Trainer(config)
        .withValidation(test, 5, 2, 40)
        .withCheckpoints(checkpoints, Duration.ofDays(1), false);
  }

  @Test
  void aSavedModelPredictsTheSame() {
    Path file = folder.resolve("signs.mcm");
    var config = config().withEpochs(0.5);
    try (var train = DrawnImages.of(40, 0, 8)) {
      try (var classifier = new Trainer(config).fit(train, _ -> {})) {
        classifier.save(file);
        try (var loaded = Classifier.load(file, 2, "auto")) {
          assertEquals(classifier.evaluate(train).meanLoss(), loaded.evaluate(train).meanLoss());
        }
      }
    }
  }

  @Test
  void aModelHasItsModuleInside() throws Exception {
    Path module = ScriptNetworkTest.module(folder);
    Path file = folder.resolve("signs.mcm");
    var config =
        config()
            .withEpochs(1)
            .withDim(4)
            .withBackbone(new BackboneSpec.TorchScript(module.toString()));
    try (var train = DrawnImages.of(40, 0, 8)) {
      try (var classifier = new Trainer(config).fit(train, _ -> {})) {
        classifier.save(file);
        Files.delete(module);
        try (var loaded = Classifier.load(file, 2, "auto")) {
          assertEquals(classifier.evaluate(train).meanLoss(), loaded.evaluate(train).meanLoss());
        }
      }
    }
  }
}
