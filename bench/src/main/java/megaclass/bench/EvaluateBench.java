// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.PlantedClasses;
import megaclass.data.PlantedExamples;
import megaclass.eval.ClassSearch;
import megaclass.eval.Evaluator;
import megaclass.eval.Recall;
import megaclass.loss.Loss;
import megaclass.weights.ClassWeights;
import org.jspecify.annotations.Nullable;

/**
 * Looks for the best classes of the same samples among all classes and through indexes: planted
 * classes in families, one example of each as its weight, others as samples.
 */
final class EvaluateBench implements AutoCloseable {
  private static final int BEST = 5;
  private static final int WARM_UP_SAMPLES = 2048;
  private static final long WARM_UP_NANOS = 2_000_000_000L;
  private static final int ROWS_AT_ONCE = 4096;
  private static final long SEED = 7;

  private final Engine engine;
  private final ClassWeights weights;
  private final FrozenBackbone backbone;
  private final Dataset samples;
  private final Dataset warmUp;
  private final Loss loss = Loss.parse("normsoftmax(scale=32)");

  EvaluateBench(int numClasses, int dim, int numSamples, int threads) {
    engine = Engine.start("auto", threads);
    weights = ClassWeights.allocate(numClasses, dim, false, RowMatrix.State.NONE);
    backbone = new FrozenBackbone(dim);
    var classes =
        PlantedClasses.defaults()
            .withNumClasses(numClasses)
            .withDim(dim)
            .withExamplesPerClass(1)
            .withNoise(0.5f)
            .withSpread(0.5f)
            .withSeed(SEED);
    plant(new PlantedExamples(classes));
    var others = new PlantedExamples(classes.withSample(1));
    float[][] rows =
        LongStream.range(0, numSamples)
            .parallel()
            .mapToObj(i -> others.features(i % numClasses))
            .toArray(float[][]::new);
    samples = data(rows);
    warmUp = data(Arrays.copyOf(rows, Math.min(numSamples, WARM_UP_SAMPLES)));
  }

  private void plant(PlantedExamples examples) {
    for (long from = 0; from < examples.numExamples(); from += ROWS_AT_ONCE) {
      long to = Math.min(examples.numExamples(), from + ROWS_AT_ONCE);
      var rows =
          LongStream.range(from, to)
              .parallel()
              .mapToObj(examples::features)
              .toArray(float[][]::new);
      for (int i = 0; i < rows.length; i++) {
        for (int j = 0; j < rows[i].length; j++) {
          weights.matrix().set(examples.trueClass(from + i), j, rows[i][j]);
        }
      }
    }
  }

  private static Dataset data(float[][] rows) {
    var labels = new String[rows.length];
    Arrays.fill(labels, "unused");
    return Dataset.of(rows, labels);
  }

  /** Best classes of all samples, and what finding them took. */
  private record Found(List<int[]> classIds, double seconds, @Nullable ClassSearch search) {}

  /** Measures all classes, then an index for each of the recalls. */
  EvaluateResult run(List<Double> recalls) {
    Found exact = find(null);
    int numSamples = exact.classIds.size();
    double flops = 2.0 * weights.numClasses() * weights.dim() * numSamples;
    var indexed = new ArrayList<EvaluateResult.Indexed>();
    for (double recall : recalls) {
      indexed.add(against(exact, recall));
    }
    return new EvaluateResult(
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        Program.read().commit(),
        Machine.read().summary(),
        engine.backend().description() + ", " + engine.workers().threads() + " threads",
        weights.numClasses(),
        weights.dim(),
        numSamples,
        BEST,
        new EvaluateResult.Exact(
            exact.seconds, numSamples / exact.seconds, flops * 1e-9 / exact.seconds),
        indexed);
  }

  private EvaluateResult.Indexed against(Found exact, double recall) {
    Found found = find(recall);
    int numSamples = exact.classIds.size();
    double build = 0;
    double measure = 0;
    if (found.search instanceof ClassSearch.Indexed chosen) {
      build = chosen.buildSeconds();
      measure = chosen.measureSeconds();
    }
    return new EvaluateResult.Indexed(
        recall,
        String.valueOf(found.search),
        build,
        measure,
        found.seconds,
        numSamples / found.seconds,
        exact.seconds / found.seconds,
        recall(exact.classIds, found.classIds));
  }

  /** Finds the best classes, of some samples first: that builds the index and lets code compile. */
  private Found find(@Nullable Double recall) {
    var told = new ArrayList<ClassSearch>();
    var model = new Evaluator.Model(backbone, weights, loss);
    var wanted = recall == null ? null : new Recall(recall, told::add);
    try (var evaluator = new Evaluator(model, BEST, wanted, engine)) {
      evaluator.forEachBatch(warmUp, (_, _, _) -> {});
      for (long from = System.nanoTime(); System.nanoTime() - from < WARM_UP_NANOS; ) {
        evaluator.forEachBatch(warmUp, (_, _, _) -> {});
      }
      var classIds = new ArrayList<int[]>();
      long start = System.nanoTime();
      evaluator.forEachBatch(
          samples,
          (batch, _, scorer) -> {
            for (int i = 0; i < batch.size(); i++) {
              int sample = i;
              classIds.add(
                  IntStream.range(0, scorer.size(i))
                      .map(rank -> scorer.classId(sample, rank))
                      .toArray());
            }
          });
      double seconds = (System.nanoTime() - start) * 1e-9;
      return new Found(classIds, seconds, told.isEmpty() ? null : told.getLast());
    }
  }

  private static double recall(List<int[]> exact, List<int[]> found) {
    long hits = 0;
    long all = 0;
    for (int sample = 0; sample < exact.size(); sample++) {
      int[] ids = found.get(sample);
      hits +=
          IntStream.of(exact.get(sample))
              .filter(classId -> IntStream.of(ids).anyMatch(id -> id == classId))
              .count();
      all += exact.get(sample).length;
    }
    return (double) hits / all;
  }

  @Override
  public void close() {
    samples.close();
    warmUp.close();
    backbone.close();
    weights.close();
    engine.close();
  }
}
