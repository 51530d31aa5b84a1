// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.PlantedClasses;
import megaclass.data.PlantedExamples;
import megaclass.eval.ClassScorer;
import megaclass.index.BinaryIvf;
import megaclass.index.Candidates;
import megaclass.index.ClassIndex;
import megaclass.index.ForestIndex;
import megaclass.index.HashingForest;
import megaclass.index.IndexedRows;
import megaclass.loss.Loss;
import megaclass.weights.ClassWeights;

/**
 * Searches the indexes for the same samples: planted classes in families, one example of each as
 * its weight, others as samples.
 */
final class SearchBench implements AutoCloseable {
  private static final int BEST = 10;
  private static final int BATCH = 512;
  private static final int REPEATS = 7;
  private static final int REPAIR_EVERY = 1000;
  private static final long SEED = 7;

  private final double warmUpSeconds;
  private final Engine engine;
  private final ClassWeights weights;
  private final IndexedRows rows;
  private final Embeddings embeddings;
  private final int[][] best = new int[BATCH][BEST];
  private final List<SearchRun> runs = new ArrayList<>();
  private double movedMicros;
  private double repairMicros;

  SearchBench(int numClasses, int dim, int threads, double warmUpSeconds) {
    this.warmUpSeconds = warmUpSeconds;
    engine = Engine.start("auto", threads);
    weights = ClassWeights.allocate(numClasses, dim, false, RowMatrix.State.NONE);
    rows = new IndexedRows(weights.matrix(), true, engine.backend());
    var classes =
        PlantedClasses.defaults()
            .withNumClasses(numClasses)
            .withDim(dim)
            .withExamplesPerClass(2)
            .withNoise(0.5f)
            .withSpread(0.5f)
            .withSeed(SEED);
    var examples = new PlantedExamples(classes);
    embeddings = new Embeddings(BATCH, new Embeddings.Shape(dim, true, false), engine);
    plant(examples);
    findBest();
  }

  /** The first example of a class is its weight, the second may be a sample. */
  private void plant(PlantedExamples examples) {
    int numClasses = weights.numClasses();
    boolean[] hasWeight = new boolean[numClasses];
    try (var samples = new RowMatrix(BATCH, weights.dim(), RowMatrix.State.NONE)) {
      int numSamples = 0;
      for (long example = 0; example < examples.numExamples(); example++) {
        int classId = examples.trueClass(example);
        if (!hasWeight[classId]) {
          write(examples.features(example), weights.matrix(), classId);
          hasWeight[classId] = true;
        } else if (numSamples < BATCH) {
          write(examples.features(example), samples, numSamples++);
        }
      }
      embeddings.gatherRows(samples, IntStream.range(0, numSamples).toArray());
    }
  }

  private static void write(float[] from, RowMatrix into, int row) {
    for (int j = 0; j < from.length; j++) {
      into.set(row, j, from[j]);
    }
  }

  private void findBest() {
    try (var scorer = new ClassScorer(weights, Loss.parse("normsoftmax(scale=32)"), BEST, engine)) {
      scorer.score(embeddings);
      for (int sample = 0; sample < embeddings.size(); sample++) {
        for (int rank = 0; rank < BEST; rank++) {
          best[sample][rank] = scorer.classId(sample, rank);
        }
      }
    }
  }

  /** Measures all indexes. */
  SearchResult run() {
    searchLists(BinaryIvf.Code.RABITQ); // what compiles late must not make the first ones slow
    runs.clear();
    for (BinaryIvf.Code code : List.of(BinaryIvf.Code.RABITQ, BinaryIvf.Code.HAMMING)) {
      searchLists(code);
    }
    for (int numTrees : new int[] {10, 50}) {
      searchTrees(numTrees);
    }
    return new SearchResult(
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        Program.read().commit(),
        Machine.read().summary(),
        engine.backend().description() + ", " + engine.workers().threads() + " threads",
        weights.numClasses(),
        weights.dim(),
        BATCH,
        movedMicros,
        repairMicros,
        runs);
  }

  private void searchLists(BinaryIvf.Code code) {
    int numLists = Math.clamp(Math.round(2 * Math.sqrt(weights.numClasses())), 1, 65_536);
    var settings = new BinaryIvf.Settings(numLists, 4, 8, REPAIR_EVERY, code);
    try (var index = new BinaryIvf(rows, settings, SEED, engine)) {
      double seconds = build(index);
      for (int effort = 1; effort <= 64; effort *= 2) {
        String words =
            "%d of %d lists, %d candidates"
                .formatted(Math.min(4 * effort, numLists), numLists, 8 * effort);
        String name = code == BinaryIvf.Code.RABITQ ? "ivf" : "ivf, code=hamming";
        search(index, effort, name, words, seconds);
      }
      if (code == BinaryIvf.Code.RABITQ) {
        measureUpkeep(index);
      }
    }
  }

  private void searchTrees(int numTrees) {
    var forest = new HashingForest.Settings(numTrees, 32);
    var settings = new ForestIndex.Settings(forest, 0, 64, REPAIR_EVERY, 0);
    try (var index = new ForestIndex(rows, settings, SEED, engine)) {
      double seconds = build(index);
      for (int effort : new int[] {1, 8, 32, 128}) {
        String words = effort == 1 ? "leaves alone" : "%d classes and more".formatted(64 * effort);
        search(index, effort, "forest, %d trees".formatted(numTrees), words, seconds);
      }
    }
  }

  private static double build(ClassIndex index) {
    long start = System.nanoTime();
    index.build();
    return (System.nanoTime() - start) * 1e-9;
  }

  private void search(ClassIndex index, int effort, String name, String words, double build) {
    var found = new Candidates(BATCH);
    for (long start = System.nanoTime(); (System.nanoTime() - start) * 1e-9 < warmUpSeconds; ) {
      index.search(embeddings, effort, found);
    }
    double[] micros = new double[REPEATS];
    for (int repeat = 0; repeat < REPEATS; repeat++) {
      long start = System.nanoTime();
      index.search(embeddings, effort, found);
      micros[repeat] = (System.nanoTime() - start) * 1e-3 / embeddings.size();
    }
    runs.add(new SearchRun(name, words, recall(found), Spread.of(micros), build));
  }

  private double recall(Candidates found) {
    long hits = 0;
    for (int sample = 0; sample < embeddings.size(); sample++) {
      var ids = new HashSet<Integer>();
      for (int i = 0; i < found.size(sample); i++) {
        ids.add(found.classId(sample, i));
      }
      for (int classId : best[sample]) {
        hits += ids.contains(classId) ? 1 : 0;
      }
    }
    return (double) hits / (BEST * (long) embeddings.size());
  }

  /** A hundred steps, in each of which a hundredth of the classes moves a little. */
  private void measureUpkeep(ClassIndex index) {
    int numMoved = Math.max(1, weights.numClasses() / 100);
    var random = new SplittableRandom(SEED);
    long moving = 0;
    long repairing = 0;
    int steps = 100;
    for (int step = 0; step < steps; step++) {
      int[] moved = random.ints(numMoved, 0, weights.numClasses()).toArray();
      for (int classId : moved) {
        weights.matrix().set(classId, 0, weights.matrix().get(classId, 0) + 0.01f);
      }
      long start = System.nanoTime();
      for (int classId : moved) {
        index.moved(classId, 0);
      }
      long between = System.nanoTime();
      index.endStep(step);
      moving += between - start;
      repairing += System.nanoTime() - between;
    }
    movedMicros = moving * 1e-3 / ((double) steps * numMoved);
    repairMicros = repairing * 1e-3 / steps;
  }

  @Override
  public void close() {
    embeddings.close();
    weights.close();
    engine.close();
  }
}
