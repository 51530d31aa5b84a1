// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.data.Dataset;
import megaclass.data.Labels;
import megaclass.data.MiniBatch;
import megaclass.data.PlantedClasses;
import megaclass.data.PlantedExamples;
import megaclass.loss.Loss;
import megaclass.weights.ClassWeights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The best classes through an index against those of a loop over all classes. */
class IndexedScorerTest {
  private static final int NUM_CLASSES = 5000;
  private static final int DIM = 24;
  private static final int K = 5;
  private static final PlantedClasses CLASSES =
      PlantedClasses.defaults()
          .withNumClasses(NUM_CLASSES)
          .withDim(DIM)
          .withExamplesPerClass(1)
          .withNoise(0.5f);

  /** One example of each class is its weight. */
  private static SmallModel planted(Loss loss) {
    var random = new SplittableRandom(3);
    var weights = new float[NUM_CLASSES][];
    var examples = new PlantedExamples(CLASSES);
    for (int i = 0; i < NUM_CLASSES; i++) {
      var row = Arrays.copyOf(examples.features(i), DIM + (loss.bias() ? 1 : 0));
      if (!loss.normalised()) {
        for (int j = 0; j < DIM; j++) {
          row[j] *= 4;
        }
      }
      if (loss.bias()) {
        row[DIM] = (float) random.nextGaussian();
      }
      weights[examples.trueClass(i)] = row;
    }
    return new SmallModel(loss, DIM, weights);
  }

  /** Other examples of the same classes. */
  private static float[][] others(int from, int count) {
    var examples = new PlantedExamples(CLASSES.withSample(1));
    return IntStream.range(from, from + count).mapToObj(examples::features).toArray(float[][]::new);
  }

  /** Packs rows as a batch of a model. */
  private static Embeddings pack(float[][] rows, Loss loss, Engine engine) {
    var shape = new Embeddings.Shape(rows[0].length, loss.normalised(), loss.bias());
    var embeddings = new Embeddings(rows.length, shape, engine);
    try (var data = data(rows);
        var backbone = new FrozenBackbone(rows[0].length)) {
      var batch = MiniBatch.range(data, 0, rows.length);
      embeddings.begin(rows.length);
      backbone.read(batch, false);
      backbone.forward(embeddings);
      embeddings.pack(batch);
    }
    return embeddings;
  }

  private static Dataset data(float[][] rows) {
    var labels = new String[rows.length];
    Arrays.fill(labels, "unused");
    return Dataset.of(rows, labels);
  }

  private static List<Integer> ids(BestClasses scorer, int sample) {
    return IntStream.range(0, scorer.size(sample))
        .mapToObj(rank -> scorer.classId(sample, rank))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"normsoftmax(scale=32)", "softmax", "softmax(bias=true)"})
  void theWantedRecallIsReachedOnOtherSamplesAndLogitsAreExact(String spec) {
    var loss = Loss.parse(spec);
    var model = planted(loss);
    float[][] asked = others(IndexedScorer.SAMPLES, 300);
    model.classes(
        2,
        (weights, engine) -> {
          try (var sample = pack(others(0, IndexedScorer.SAMPLES), loss, engine);
              var batch = pack(asked, loss, engine);
              var exact = new ClassScorer(weights, loss, K, engine);
              var scorer = new IndexedScorer(weights, loss, K, engine)) {
            var chosen =
                assertInstanceOf(ClassSearch.Indexed.class, scorer.choose(sample, 0.97, exact));
            assertTrue(chosen.recall() >= 0.97 && chosen.numProbes() < chosen.numLists());
            scorer.score(batch);
            long hits = 0;
            for (int i = 0; i < asked.length; i++) {
              double[] logits = model.logits(asked[i]);
              double[] sorted = DoubleStream.of(logits).sorted().toArray();
              assertEquals(K, scorer.size(i));
              for (int rank = 0; rank < K; rank++) {
                double logit = logits[scorer.classId(i, rank)];
                assertEquals(logit, scorer.logit(i, rank), 3e-6 * (loss.scale() + DIM));
                hits += logit >= sorted[sorted.length - K] ? 1 : 0;
              }
            }
            assertTrue(hits >= 0.95 * K * asked.length, hits + " of " + K * asked.length);
          }
        });
  }

  /** numClasses, dim, k: one class and two have fewer classes than lists. */
  private static final List<int[]> SIZES =
      List.of(
          new int[] {1, 3, 1},
          new int[] {2, 5, 4},
          new int[] {3, 17, 100},
          new int[] {129, 33, 7},
          new int[] {1200, 16, 20});

  static Stream<Object[]> problems() {
    return SIZES.stream()
        .flatMap(
            sizes ->
                Stream.of("softmax", "softmax(bias=true)", "arcface(scale=64)")
                    .map(loss -> new Object[] {sizes, loss}));
  }

  /** Whole numbers have exact inner products, many of them equal; cosines come from others. */
  @ParameterizedTest
  @MethodSource("problems")
  void whoLooksAtAllClassesFindsWhatScoringAllFinds(int[] sizes, String spec) {
    var loss = Loss.parse(spec);
    var random = new SplittableRandom(Arrays.hashCode(sizes));
    boolean whole = !loss.normalised();
    var model = new SmallModel(loss, random, sizes[0], sizes[1], whole);
    float[][] rows = SmallModel.matrix(random, 130, sizes[1], whole);
    model.classes(
        2,
        (weights, engine) -> {
          try (var batch = pack(rows, loss, engine);
              var exact = new ClassScorer(weights, loss, sizes[2], engine);
              var scorer = new IndexedScorer(weights, loss, sizes[2], engine)) {
            scorer.build();
            scorer.effort(1 << 20);
            scorer.score(batch);
            exact.score(batch);
            assertEquals(exact.k(), scorer.k());
            for (int i = 0; i < rows.length; i++) {
              assertEquals(ids(exact, i), ids(scorer, i));
              for (int rank = 0; rank < scorer.size(i); rank++) {
                assertEquals(
                    exact.logit(i, rank), scorer.logit(i, rank), 2e-6 * loss.scale() + 1e-6);
              }
            }
          }
        });
  }

  @Test
  void whatIsFoundDependsOnNoNumberOfThreads() {
    var loss = Loss.parse("normsoftmax(scale=16)");
    var model = planted(loss);
    var found = new ArrayList<List<List<Integer>>>();
    var effort = new ArrayList<List<Object>>();
    for (int threads : new int[] {1, 3}) {
      model.classes(
          threads,
          (weights, engine) -> {
            try (var sample = pack(others(0, IndexedScorer.SAMPLES), loss, engine);
                var exact = new ClassScorer(weights, loss, K, engine);
                var scorer = new IndexedScorer(weights, loss, K, engine)) {
              var chosen = (ClassSearch.Indexed) scorer.choose(sample, 0.9, exact);
              effort.add(List.of(chosen.numProbes(), chosen.numCandidates(), chosen.recall()));
              scorer.score(sample);
              found.add(IntStream.range(0, sample.size()).mapToObj(i -> ids(scorer, i)).toList());
            }
          });
    }
    assertEquals(effort.get(0), effort.get(1));
    assertEquals(found.get(0), found.get(1));
  }

  @Test
  void anIndexThatCostsMoreThanAllClassesIsNotTaken() {
    var loss = Loss.softmax();
    var random = new SplittableRandom(1);
    var few = new SmallModel(loss, random, 60, 8, false);
    few.classes(
        1,
        (weights, engine) ->
            assertExact(
                "all classes are scored: an index costs more than that with 60 classes and k = 5",
                weights,
                loss,
                SmallModel.matrix(random, 600, 8, false),
                engine));
    var scattered = new SmallModel(loss, random, NUM_CLASSES, 96, false);
    scattered.classes(
        1,
        (weights, engine) ->
            assertExact(
                "all classes are scored: an index that costs less finds \\d+\\.\\d\\d % of the 5"
                    + " best of 600 samples, but 100\\.00 % are wanted",
                weights, loss, SmallModel.matrix(random, 600, 96, false), engine));
  }

  private static void assertExact(
      String text, ClassWeights weights, Loss loss, float[][] rows, Engine engine) {
    try (var sample = pack(rows, loss, engine);
        var exact = new ClassScorer(weights, loss, K, engine);
        var scorer = new IndexedScorer(weights, loss, K, engine)) {
      var chosen = scorer.choose(sample, 1, exact);
      assertTrue(chosen.toString().matches(text), chosen.toString());
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 0.0", "-0.5, -0.5", "1.01, 1.01", "99, 99.0", "NaN, NaN"})
  void aShareThatIsNoneIsRefused(double share, String shown) {
    var e = assertThrows(IllegalArgumentException.class, () -> new Recall(share, _ -> {}));
    assertEquals(
        "recall must be in (0, 1], but was "
            + shown
            + "; give the share of the best classes that an index has to find, such as 0.99",
        String.valueOf(e.getMessage()));
  }

  @Test
  void whatWasChosenIsToldInALine() {
    assertEquals(
        "through an index: 256 of 2000 lists, 99.99 % of the 5 best of 512 samples found, built in"
            + " 3.1 s",
        new ClassSearch.Indexed(256, 2000, 512, 0.99999, 5, 512, 3.14, 1).toString());
  }

  @Test
  void anEvaluationThroughAnIndexHasNoLossAndPredictionsNoProbability() {
    var loss = Loss.parse("normsoftmax(scale=16)");
    var model = planted(loss);
    var told = new ArrayList<ClassSearch>();
    var counts = new long[NUM_CLASSES];
    try (var data = data(others(0, 700))) {
      model.evaluator(
          K,
          new Recall(0.95, told::add),
          2,
          evaluator -> {
            var few = evaluator.evaluate(data, counts, 100);
            assertEquals(
                "[all classes are scored: measuring what an index finds takes 512 examples, and"
                    + " there are fewer]",
                told.toString());
            assertTrue(few.meanLoss().isPresent());
            var all = evaluator.evaluate(data, counts, Long.MAX_VALUE);
            assertEquals(700, all.examples());
            assertTrue(all.meanLoss().isEmpty());
            assertTrue(
                all.toString().matches("top-1 \\S+ %   top-5 \\S+ %   700 examples in .*"),
                all.toString());
            assertInstanceOf(ClassSearch.Indexed.class, told.getLast());
            assertEquals(2, told.size());
            var labels = Labels.of(IntStream.range(0, NUM_CLASSES).mapToObj(c -> "c" + c).toList());
            evaluator.forEachBatch(
                data,
                (batch, _, _) -> {
                  for (var prediction : evaluator.predictions(labels, batch.size() - 1)) {
                    assertTrue(prediction.probability().isEmpty());
                    assertTrue(prediction.score() <= 1.0001);
                  }
                });
          });
    }
  }

  @Test
  void smallSetsAreScoredExactlyUntilThereAreEnoughExamples() {
    var model = planted(Loss.parse("normsoftmax(scale=16)"));
    var told = new ArrayList<ClassSearch>();
    var kinds = new ArrayList<String>();
    model.evaluator(
        K,
        new Recall(0.9, told::add),
        1,
        evaluator -> {
          for (int from = 0; from < 800; from += 200) {
            try (var data = data(others(from, 200))) {
              evaluator.forEachBatch(
                  data, (_, _, scorer) -> kinds.add(scorer.getClass().getSimpleName()));
            }
          }
        });
    assertEquals(List.of("ClassScorer", "ClassScorer", "ClassScorer", "IndexedScorer"), kinds);
    assertEquals(2, told.size());
  }

  @Test
  void ofFewClassesAllAreScored() {
    var random = new SplittableRandom(2);
    var told = new ArrayList<ClassSearch>();
    var model = new SmallModel(Loss.softmax(), random, 300, 4, false);
    try (var data = data(SmallModel.matrix(random, 600, 4, false))) {
      model.evaluator(
          K,
          new Recall(0.9, told::add),
          1,
          evaluator ->
              assertTrue(evaluator.evaluate(data, new long[300], 600).meanLoss().isPresent()));
    }
    assertEquals(
        "[all classes are scored: an index saves nothing with fewer than 4096 classes]",
        told.toString());
  }
}
