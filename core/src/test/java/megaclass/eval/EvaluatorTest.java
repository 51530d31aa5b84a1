// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import megaclass.data.Dataset;
import megaclass.data.DatasetWriter;
import megaclass.data.Labels;
import megaclass.loss.Loss;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Accuracy and loss against a plain count, where examples have one to three classes. */
class EvaluatorTest {
  private static final int NUM_CLASSES = 37;
  private static final int DIM = 6;

  /** More than three batches of one thread, the last one smaller. */
  private static final int NUM_EXAMPLES = 900;

  private final SplittableRandom random = new SplittableRandom(5);
  private final long[] trainCounts = random.longs(NUM_CLASSES, 0, 50).toArray();
  private final float[][] features = SmallModel.matrix(random, NUM_EXAMPLES, DIM, true);
  private final List<int[]> targets = new ArrayList<>();
  private final List<String> labels =
      IntStream.range(0, NUM_CLASSES).mapToObj(c -> "class " + c).toList();

  @TempDir Path folder;

  @BeforeEach
  void drawTargets() {
    for (int i = 0; i < NUM_EXAMPLES; i++) {
      targets.add(random.ints(0, NUM_CLASSES).distinct().limit(1 + i % 3).toArray());
    }
  }

  private Dataset data() {
    var file = folder.resolve("some.mcd");
    try (var dictionary = new Labels.Builder(Labels.of(labels));
        var writer = DatasetWriter.dense(file, DIM, dictionary)) {
      for (int i = 0; i < NUM_EXAMPLES; i++) {
        writer.add(features[i], targets.get(i));
      }
      writer.finish();
    }
    return Dataset.open(file);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "5, 1", "5, 3", "100, 3"})
  void accuracyAndLossAreThoseOfAPlainCount(int k, int threads) {
    var model = new SmallModel(Loss.softmax(), random, NUM_CLASSES, DIM, true);
    try (var data = data()) {
      model.evaluator(
          k,
          threads,
          evaluator -> {
            var evaluation = evaluator.evaluate(data, trainCounts, Long.MAX_VALUE);
            assertEquals(NUM_EXAMPLES, evaluation.examples());
            assertEquals(Math.min(k, NUM_CLASSES), evaluation.k());
            compare(model, k, evaluation);
          });
    }
  }

  private void compare(SmallModel model, int k, Evaluation evaluation) {
    var deciles = new FrequencyDeciles(trainCounts);
    int right = 0;
    int inTopK = 0;
    double loss = 0;
    long[] examples = new long[10];
    long[] rightIn = new long[10];
    for (int i = 0; i < NUM_EXAMPLES; i++) {
      double[] logits = model.logits(features[i]);
      int rank = IntStream.of(targets.get(i)).map(t -> rank(logits, t)).min().orElseThrow();
      int decile = deciles.of(targets.get(i)[0]);
      examples[decile]++;
      if (rank == 0) {
        right++;
        rightIn[decile]++;
      }
      inTopK += rank < k ? 1 : 0;
      double own = IntStream.of(targets.get(i)).mapToDouble(t -> logits[t]).average().orElseThrow();
      loss += SmallModel.logSumExp(logits) - own;
    }
    assertTrue(right > 0 && right < NUM_EXAMPLES, "the problem is neither empty nor trivial");
    assertEquals((double) right / NUM_EXAMPLES, evaluation.top1());
    assertEquals((double) inTopK / NUM_EXAMPLES, evaluation.topK());
    assertEquals(loss / NUM_EXAMPLES, evaluation.meanLoss().orElseThrow(), 1e-5);
    for (int d = 0; d < 10; d++) {
      var part = evaluation.frequencyDeciles().get(d);
      assertEquals(examples[d], part.examples());
      assertEquals((double) rightIn[d] / examples[d], part.top1());
      assertEquals(deciles.minCount(d), part.minCount());
      assertEquals(deciles.maxCount(d), part.maxCount());
    }
  }

  /** Classes that come before: better ones, and equal ones of smaller id. */
  private static int rank(double[] logits, int target) {
    return (int)
        IntStream.range(0, logits.length)
            .filter(c -> logits[c] > logits[target] || (logits[c] == logits[target] && c < target))
            .count();
  }

  @Test
  void aSampleHasTheSizeAskedForAndIsAlwaysTheSame() {
    var model = new SmallModel(Loss.softmax(), random, NUM_CLASSES, DIM, true);
    try (var data = data()) {
      var found = new ArrayList<Evaluation>();
      for (int threads : new int[] {1, 3}) {
        model.evaluator(
            5, threads, evaluator -> found.add(evaluator.evaluate(data, trainCounts, 601)));
      }
      assertEquals(601, found.getFirst().examples());
      assertEquals(found.get(0).top1(), found.get(1).top1());
      assertEquals(found.get(0).topK(), found.get(1).topK());
      assertEquals(
          found.get(0).meanLoss().orElseThrow(), found.get(1).meanLoss().orElseThrow(), 1e-9);
    }
  }

  @Test
  void predictionsCarryLabelsScoresAndProbabilities() {
    var loss = Loss.parse("normsoftmax(scale=16)");
    var model = new SmallModel(loss, random, NUM_CLASSES, DIM, false);
    float[][] some = SmallModel.matrix(random, 3, DIM, false);
    try (var data = Dataset.of(some, new String[] {"a", "b", "c"})) {
      model.evaluator(
          NUM_CLASSES,
          2,
          evaluator ->
              evaluator.forEachBatch(
                  data,
                  (batch, _, _) -> {
                    for (int i = 0; i < batch.size(); i++) {
                      comparePredictions(
                          model, some[i], evaluator.predictions(Labels.of(labels), i));
                    }
                  }));
    }
  }

  private void comparePredictions(SmallModel model, float[] x, List<Prediction> predictions) {
    double[] logits = model.logits(x);
    assertEquals(NUM_CLASSES, predictions.size());
    assertEquals(
        1, predictions.stream().mapToDouble(p -> p.probability().orElseThrow()).sum(), 1e-5);
    for (var prediction : predictions) {
      double logit = logits[prediction.classId()];
      assertEquals(labels.get(prediction.classId()), prediction.label());
      assertEquals(logit / 16, prediction.score(), 1e-6);
      double probability = Math.exp(logit - SmallModel.logSumExp(logits));
      assertEquals(probability, prediction.probability().orElseThrow(), 1e-5);
    }
    var sorted =
        predictions.stream()
            .sorted(Comparator.comparingDouble(Prediction::score).reversed())
            .toList();
    assertEquals(sorted, predictions);
  }

  @Test
  void examplesOfATenthOfTheClassesAddUpToAll() {
    var model = new SmallModel(Loss.softmax(), random, NUM_CLASSES, DIM, true);
    try (var data = data()) {
      model.evaluator(
          1,
          1,
          evaluator -> {
            var parts = evaluator.evaluate(data, trainCounts, 100).frequencyDeciles();
            long[] examples = parts.stream().mapToLong(part -> part.examples()).toArray();
            assertEquals(100, LongStream.of(examples).sum());
          });
    }
  }
}
