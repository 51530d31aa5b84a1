// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import megaclass.backbone.BackboneSpec;
import megaclass.data.Dataset;
import megaclass.data.PlantedClasses;
import megaclass.internal.SectionFile;
import megaclass.loss.Loss;
import megaclass.optim.OptimizerSpec;
import megaclass.select.SelectorSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What docs/architecture.md says of threads: they change nothing but the time. */
class ThreadsTest {
  /** So many classes that even half of them are dealt to several chunks. */
  private static final PlantedClasses PLANTED =
      PlantedClasses.defaults().withNumClasses(1300).withDim(20).withExamplesPerClass(2);

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          all                     | normsoftmax(scale=16)        | sgd(momentum=0.9, decay=0.001)
          uniform(0.5)            | arcface(scale=32, margin=0.3) | adagrad
          exactTop(600)+tail(0.5) | cosface(scale=32, margin=0.2) | sgd(momentum=0.9, nesterov=true)
          all                     | softmax(bias=true)           | adagrad
          uniform(0.5)+groups(4)  | softmax(bias=true)           | sgd(momentum=0.9, decay=0.001)
          ivf(0.4)+tail(0.2)+groups(3) | cosface(scale=32, margin=0.2) | adagrad
          """)
  void aModelOfDenseFeaturesIsTheSameBitForBitWhateverTheThreads(
      String selector, String loss, String optimizer) throws IOException {
    var config =
        config(selector, loss, optimizer)
            .withBackbone(new BackboneSpec.Frozen())
            .withDim(20)
            .withBatchSize(150);
    try (var data = Dataset.synthetic(PLANTED)) {
      assertSameModels(config, data);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          all          | normsoftmax(scale=16) | adagrad
          uniform(0.2) | softmax               | sgd(momentum=0.9)
          """)
  void aModelOfTextsIsTheSameBitForBitWhateverTheThreads(
      String selector, String loss, String optimizer) throws IOException {
    var config =
        config(selector, loss, optimizer)
            .withBackbone(BackboneSpec.parse("bag(chars=2-3, buckets=5000, dropout=0.3)"))
            .withDim(24)
            .withBatchSize(70);
    try (var data = words()) {
      assertSameModels(config, data);
    }
  }

  @Test
  void aModelOfOneGroupIsThatOfNoGroupsBitForBit() throws IOException {
    String selector = "ivf(0.1) + tail(0.25)";
    var base = config(selector, "arcface(scale=32, margin=0.3)", "sgd(momentum=0.9)").withDim(20);
    var oneGroup = base.withSelector(SelectorSpec.parse(selector + " + groups(1)"));
    var twoGroups = base.withSelector(SelectorSpec.parse(selector + " + groups(2)"));
    try (var data = Dataset.synthetic(PLANTED)) {
      Path plain = train(base, data, 2);
      assertArrayEquals(weights(plain), weights(train(oneGroup, data, 2)));
      assertFalse(Arrays.equals(weights(plain), weights(train(twoGroups, data, 2))));
    }
  }

  /** The class weights of a model, whose file also tells the selector. */
  private static byte[] weights(Path model) {
    try (var arena = Arena.ofConfined()) {
      var file = SectionFile.open(model, SectionFile.kindOf(model), 1, arena);
      return file.section("weights").toArray(ValueLayout.JAVA_BYTE);
    }
  }

  @Test
  void anotherSeedGivesAnotherModel() throws IOException {
    var config = config("all", "normsoftmax", "adagrad").withDim(64);
    try (var data = Dataset.synthetic(PlantedClasses.defaults().withNumClasses(50))) {
      assertNotEquals(
          -1, Files.mismatch(train(config, data, 1), train(config.withSeed(8), data, 2)));
    }
  }

  private static TrainConfig config(String selector, String loss, String optimizer) {
    return TrainConfig.defaults()
        .withSelector(SelectorSpec.parse(selector))
        .withLoss(Loss.parse(loss))
        .withOptimizer(OptimizerSpec.parse(optimizer))
        .withEpochs(0.4);
  }

  private static Dataset words() {
    var random = new SplittableRandom(5);
    String[] texts = new String[900];
    String[] labels = new String[texts.length];
    for (int i = 0; i < texts.length; i++) {
      int label = random.nextInt(300);
      texts[i] = Integer.toString(label * 7919, 26) + Integer.toString(random.nextInt(900), 26);
      labels[i] = "label-" + label;
    }
    return Dataset.of(texts, labels);
  }

  private void assertSameModels(TrainConfig config, Dataset data) throws IOException {
    Path ofOne = train(config, data, 1);
    assertEquals(
        -1,
        Files.mismatch(ofOne, train(config, data, 3)),
        "first byte in which the model of three threads differs from that of one");
  }

  private Path train(TrainConfig config, Dataset data, int threads) throws IOException {
    Path file = Files.createTempFile(folder, "threads-" + threads + "-", ".mcm");
    try (var classifier = new Trainer(config.withThreads(threads)).fit(data, _ -> {})) {
      classifier.save(file);
    }
    return file;
  }
}
