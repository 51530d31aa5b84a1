// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import megaclass.backbone.BackboneSpec;
import megaclass.backbone.Embeddings;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.PlantedClasses;
import megaclass.data.Split;
import megaclass.loss.Loss;
import megaclass.optim.OptimizerSpec;
import megaclass.optim.SparseOptimizer;
import megaclass.select.SelectorSpec;
import megaclass.weights.Initialisation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Training as a whole, on data whose classes are known. */
class TrainerTest {
  private static final PlantedClasses PLANTED =
      PlantedClasses.defaults().withNumClasses(300).withDim(32).withNoise(0.5f);

  private static TrainConfig config() {
    return TrainConfig.defaults()
        .withDim(32)
        .withLoss(Loss.normalisedSoftmax(16))
        .withInitialisation(Initialisation.RANDOM)
        .withLearningRate(0.1)
        .withBatchSize(64)
        .withEpochs(4);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "all",
        "uniform(0.2)",
        "uniform(0.2, corrected=true)",
        "exactTop(30)",
        "exactTop(20) + tail(0.5)"
      })
  void everySelectorLearnsThePlantedClassesFromRandomWeights(String selector) {
    try (var data = Dataset.synthetic(PLANTED)) {
      var split = data.split(0.2, 1);
      var trainer = new Trainer(config().withSelector(SelectorSpec.parse(selector)));
      try (var classifier = trainer.fit(split.train(), _ -> {})) {
        double top1 = classifier.evaluate(split.test()).top1();
        assertTrue(top1 > 0.9, selector + " reached only " + top1);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"adagrad", "sgd(momentum=0.9)"})
  void rowsOf16BitsLearnAsWell(String optimizer) {
    var of = config().withOptimizer(OptimizerSpec.parse(optimizer));
    try (var data = Dataset.synthetic(PLANTED)) {
      var split = data.split(0.2, 1);
      double full = top1(of.withDtype(RowFormat.FP32), split);
      double half = top1(of.withDtype(RowFormat.BF16), split);
      assertTrue(half > full - 0.02, half + " with 16 bits, " + full + " with 32");
    }
  }

  private static double top1(TrainConfig config, Split split) {
    try (var classifier = new Trainer(config).fit(split.train(), _ -> {})) {
      return classifier.evaluate(split.test()).top1();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "softmax",
        "softmax(bias=true)",
        "normsoftmax(scale=16)",
        "cosface(scale=16, margin=0.2)",
        "arcface(scale=16, margin=0.2)",
        "arcface(scale=16, margin=0.2, backward=straight-through)",
        "dsoftmax(scale=16, d=0.9)"
      })
  void everyLossLearnsThePlantedClassesFromRandomWeights(String loss) {
    try (var data = Dataset.synthetic(PLANTED)) {
      var split = data.split(0.2, 1);
      var trainer =
          new Trainer(config().withSelector(new SelectorSpec.All()).withLoss(Loss.parse(loss)));
      try (var classifier = trainer.fit(split.train(), _ -> {})) {
        double top1 = classifier.evaluate(split.test()).top1();
        assertTrue(top1 > 0.6, loss + " reached only " + top1);
      }
    }
  }

  @Test
  void choosingAllClassesByAnySelectorIsTheExactSoftmax() {
    try (var data = Dataset.synthetic(PLANTED)) {
      var exact = losses(data, "all");
      for (String selector :
          List.of("uniform(1)", "uniform(1, corrected=true)", "exactTop(300)", "exactTop(9999)")) {
        assertEquals(exact, losses(data, selector), selector);
      }
      var tailed = losses(data, "exactTop(150) + tail(1)");
      assertEquals(exact, tailed, "a tail that takes in every other class once stands for itself");
    }
  }

  /** The losses of a few steps, one a report: equal only if every bit is. */
  private static List<Double> losses(Dataset data, String selector) {
    var losses = new ArrayList<Double>();
    int[] steps = {0};
    new Trainer(config().withSelector(SelectorSpec.parse(selector)))
        .stopWhen(() -> ++steps[0] == 20)
        .fit(
            data,
            event -> {
              if (event instanceof TrainEvent.Finished finished) {
                losses.add((double) finished.step());
              }
            })
        .close();
    try (var classifier =
        new Trainer(config().withSelector(SelectorSpec.parse(selector)).withEpochs(0.3))
            .fit(data, _ -> {})) {
      losses.add(classifier.evaluate(data).meanLoss().orElseThrow());
    }
    return losses;
  }

  @Test
  void classMeansStartAsTheNearestMeanClassifier() {
    try (var data = Dataset.synthetic(PLANTED)) {
      var split = data.split(0.2, 1);
      var first = new ArrayList<Double>();
      new Trainer(config().withInitialisation(Initialisation.CLASS_MEANS).withLearningRate(0.01))
          .withValidation(split.test(), 5, 1, 100_000)
          .fit(
              split.train(),
              event -> {
                if (event instanceof TrainEvent.Evaluated(long step, double _, var evaluation)
                    && step == 0) {
                  first.add(evaluation.top1());
                }
              })
          .close();
      assertEquals(nearestMeanAccuracy(split.train(), split.test()), first.getFirst(), 1e-9);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          uniform(0.2)  | adagrad                     | 60  | 60
          exactTop(70)  | adagrad                     | 70  | 70
          exactTop(70)  | sgd(momentum=0.9, decay=0)  | 70  | 300
          all           | sgd(momentum=0.9, decay=0)  | 300 | 300
          """)
  void progressTellsWhatAStepTouched(String selector, String optimizer, int active, int rows) {
    var touched = new ArrayList<TrainEvent.Touched>();
    var config =
        config()
            .withSelector(SelectorSpec.parse(selector))
            .withOptimizer(OptimizerSpec.parse(optimizer))
            .withEpochs(0.1);
    try (var data = Dataset.synthetic(PLANTED)) {
      new Trainer(config)
          .fit(
              data,
              event -> {
                if (event instanceof TrainEvent.Progress progress) {
                  touched.add(progress.touched());
                  assertEquals(new TrainEvent.Staleness(0, 0), progress.staleness());
                }
              })
          .close();
    }
    assertEquals(new TrainEvent.Touched(64, active, rows, 0), touched.getLast());
    assertEquals(active / 64.0, touched.getLast().classesPerSample());
  }

  @Test
  void aTableRowIsTouchedForEveryTokenOfABatch() {
    var touched = new ArrayList<Integer>();
    String[] texts = {"ab", "abc", "bc", "ab"}; // a, b and c
    try (var data = Dataset.of(texts, new String[] {"x", "y", "z", "x"})) {
      var backbone = BackboneSpec.parse("bag(chars=1-1, words=0, buckets=1048576, dropout=0)");
      new Trainer(config().withBackbone(backbone).withEpochs(1))
          .fit(
              data,
              event -> {
                if (event instanceof TrainEvent.Progress progress) {
                  touched.add(progress.touched().tableRows());
                }
              })
          .close();
    }
    assertEquals(List.of(3), touched);
  }

  @Test
  void anEvaluationIsNotTimeOfTraining() {
    var seconds = new ArrayList<Double>();
    try (var data = Dataset.synthetic(PLANTED)) {
      new Trainer(config().withEpochs(0.01))
          .withValidation(data, 5, 1, 100_000)
          .fit(
              data,
              event -> {
                switch (event) {
                  case TrainEvent.Evaluated evaluated -> seconds.add(evaluated.seconds());
                  case TrainEvent.Finished finished -> seconds.add(finished.seconds());
                  case TrainEvent.Started _,
                      TrainEvent.Initialised _,
                      TrainEvent.Progress _,
                      TrainEvent.SelectionMeasured _,
                      TrainEvent.CheckpointSaved _ -> {}
                }
              })
          .close();
    }
    assertEquals(3, seconds.size());
    assertEquals(seconds.stream().sorted().toList(), seconds);
  }

  private static double nearestMeanAccuracy(Dataset train, Dataset test) {
    double[][] means = new double[train.numClasses()][train.featureDim()];
    for (long example = 0; example < train.numExamples(); example++) {
      float[] row = train.features(example);
      double[] mean = means[train.target(example, 0)];
      Arrays.setAll(mean, j -> mean[j] + row[j] / norm(row));
    }
    int right = 0;
    for (long example = 0; example < test.numExamples(); example++) {
      float[] row = test.features(example);
      int best = 0;
      double bestScore = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < means.length; c++) {
        double product = 0;
        double squares = 0;
        for (int j = 0; j < row.length; j++) {
          product += means[c][j] * row[j];
          squares += means[c][j] * means[c][j];
        }
        double score = product / Math.sqrt(squares);
        if (score > bestScore) {
          best = c;
          bestScore = score;
        }
      }
      right += best == test.target(example, 0) ? 1 : 0;
    }
    return (double) right / test.numExamples();
  }

  private static double norm(float[] row) {
    double squares = 0;
    for (float value : row) {
      squares += value * value;
    }
    return Math.sqrt(squares);
  }

  @Test
  void exampleWithoutDirectionIsNamed() {
    float[][] features = {{1, 0}, {0, 1}, {0, 0}, {1, 1}};
    try (var data = Dataset.of(features, new String[] {"a", "b", "a", "b"})) {
      var trainer = new Trainer(config().withDim(2));
      var e = assertThrows(ArithmeticException.class, () -> trainer.fit(data, _ -> {}));
      assertEquals(
          "example 2 of data in memory has an embedding of length 0.0, which has no direction;"
              + " remove the example, or lower the learning rate if it is not the data's fault",
          e.getMessage());
    }
  }

  @Test
  void divergingRunStopsAndNamesExampleClassAndStep() {
    try (var data = Dataset.synthetic(PLANTED)) {
      var trainer =
          new Trainer(
              config()
                  .withLoss(Loss.softmax())
                  .withOptimizer(OptimizerSpec.parse("sgd(momentum=0.9)"))
                  .withLearningRate(1e38));
      var e = assertThrows(ArithmeticException.class, () -> trainer.fit(data, _ -> {}));
      assertTrue(
          String.valueOf(e.getMessage())
              .matches(
                  "the loss of example \\d+ of .* \\(class \"class-\\d+\"\\) is (NaN|-?Infinity) in"
                      + " step \\d+; lower the learning rate, or look at that example; the last"
                      + " checkpoint is still good"),
          e.getMessage());
    }
  }

  @Test
  void settingsThatDoNotFitTheDataSayWhatWould() {
    try (var data = Dataset.synthetic(PLANTED)) {
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> new Trainer(config().withDim(16)).fit(data, _ -> {}));
      assertEquals(
          "dim must be 32 with backbone frozen, as the features of "
              + data.description()
              + ", but was 16",
          e.getMessage());
    }
    try (var texts = KilledRun.texts()) {
      var e =
          assertThrows(
              IllegalArgumentException.class, () -> new Trainer(config()).fit(texts, _ -> {}));
      assertEquals(
          "backbone frozen needs dense rows, but data in memory holds text; take a bag, as in"
              + " bag(chars=2-5)",
          e.getMessage());
    }
  }

  @Test
  void memoryPlanTellsTheBytesOfGroups() {
    var base = KilledRun.config().withBatchSize(256);
    for (String text : new String[] {"uniform(0.1)", "uniform(0.1) + groups(1)"}) {
      var plan = MemoryPlan.of(base.withSelector(SelectorSpec.parse(text)), 50_000, 0);
      assertEquals(0L, plan.bytes().getOrDefault("groups of samples", 0L));
    }
    var grouped = base.withSelector(SelectorSpec.parse("uniform(0.1) + groups(4)"));
    long embeddings = 2 * Embeddings.sizeInBytes(64, 24);
    assertEquals( // 5000 classes a group, so that at most 10 000 are in two groups or more
        embeddings + 10_000 * RowMatrix.State.NONE.bytesPerRow(24, RowFormat.FP32),
        MemoryPlan.of(grouped, 50_000, 0).bytes().getOrDefault("groups of samples", 0L));
  }

  @Test
  void memoryPlanTellsTheBytesOfTheMatrices() {
    var config = KilledRun.config();
    var state = SparseOptimizer.stateFor(config.optimizer());
    var plan = MemoryPlan.of(config, 500, 0).bytes();
    try (var weights = new RowMatrix(500, 24, state);
        var table = new RowMatrix(3_000, 24, state)) {
      assertEquals(
          weights.sizeInBytes(),
          plan.getOrDefault("class weights", 0L) + plan.getOrDefault("their optimizer state", 0L));
      assertEquals(
          table.sizeInBytes(),
          plan.getOrDefault("token table", 0L) + plan.getOrDefault("its optimizer state", 0L));
    }
  }
}
