// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.Arrays;
import java.util.stream.IntStream;
import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.compute.Workers;
import megaclass.index.BinaryIvf;
import megaclass.index.Candidates;
import megaclass.index.IndexedRows;
import megaclass.internal.Check;
import megaclass.internal.Ranking;
import megaclass.loss.Loss;
import megaclass.weights.ClassWeights;

/**
 * Finds the best classes of each sample of a batch through an inverted file over the class weights:
 * it proposes candidates, and those of the largest exact logits are kept. What it misses is
 * measured ({@link #choose}), and it looks no further than the wanted recall asks for.
 *
 * <p>What it finds depends on weights, embeddings and effort, not on threads or on what else is in
 * the batch. Building costs about as much as scoring 2000 + 2 sqrt(numClasses) samples with all
 * classes. Weights must not change. Not thread-safe, but works with all threads itself.
 */
public final class IndexedScorer implements BestClasses {
  /** Embeddings that recall is measured with. */
  public static final int SAMPLES = 512;

  /** The most samples of a batch: a list is read once for all that look into it. */
  static final int MAX_BATCH = 2048;

  /** Lists of a sample with effort 1. */
  private static final int PROBES = 4;

  /** The fewest candidates of a sample with effort 1. */
  private static final int CANDIDATES = 8;

  /** Candidates of a batch, about 40 bytes each. */
  private static final int MAX_CANDIDATES = 1 << 22;

  /**
   * What comparing the code of a class costs, and scoring a candidate, which lies anywhere in
   * memory, in units of scoring a class when all are scored. Measured at 100 000 classes of dim
   * 128; constants, since a measured time would make the choice depend on the machine's mood.
   */
  private static final double COST_OF_CODE = 0.75;

  private static final double COST_OF_CANDIDATE = 10;

  /** Relative difference of logits that rounding alone may make. */
  private static final double ROUNDING = 1e-5;

  /** Nothing is repaired here. */
  private static final int REPAIR_EVERY = 1000;

  private static final long SEED = 0x6265737463L;

  private final int numClasses;
  private final int k;
  private final int numLists;
  private final int candidatesOfOne;
  private final float scale;
  private final Embeddings.Shape shape;
  private final Engine engine;
  private final Workers workers;
  private final BinaryIvf index;
  private final Candidates candidates = new Candidates(MAX_BATCH);
  private final long[][] keys;
  private final long[][] best = new long[MAX_BATCH][0];
  private final int[] sizes = new int[MAX_BATCH];
  private int effort = 1;

  /**
   * A scorer whose index is still empty; {@link #choose} builds it.
   *
   * @param weights (numClasses, dim)
   * @param loss that they were trained with
   * @param k classes to keep, at least 1; all when there are fewer
   */
  public IndexedScorer(ClassWeights weights, Loss loss, int k, Engine engine) {
    this.numClasses = weights.numClasses();
    this.k = Math.min(Check.atLeast("k", k, 1), numClasses);
    this.engine = engine;
    this.workers = engine.workers();
    scale = loss.normalised() ? (float) loss.scale() : 1f;
    shape = new Embeddings.Shape(weights.dim(), loss.normalised(), loss.bias());
    numLists = Math.clamp(Math.round(2 * Math.sqrt(numClasses)), 1, BinaryIvf.MAX_LISTS);
    candidatesOfOne = Math.max(CANDIDATES, this.k / 2);
    keys = new long[workers.threads()][0];
    var settings =
        new BinaryIvf.Settings(
            numLists, PROBES, candidatesOfOne, REPAIR_EVERY, BinaryIvf.Code.RABITQ);
    var rows = new IndexedRows(weights.matrix(), loss.normalised(), engine.backend());
    index = new BinaryIvf(rows, settings, SEED, engine);
  }

  /**
   * Builds the index and takes the smallest effort, a power of two, with which the wanted share of
   * the best classes of some samples is found. Above the cost of scoring all classes none is tried.
   *
   * @param sample packed embeddings of the kind that will be asked about, (batch, dim)
   * @param recall wanted share of the k best classes, in (0, 1]
   * @param exact over the same weights, with the same k
   * @return what was chosen; when it is {@link ClassSearch.Exact}, this scorer is of no use
   * @throws ArithmeticException when a class weight is infinite or NaN
   */
  public ClassSearch choose(Embeddings sample, double recall, ClassScorer exact) {
    Recall.requireShare(recall);
    int first = 1;
    while (numCandidates(first) < k) {
      first *= 2;
    }
    if (cost(first) >= 1) {
      return new ClassSearch.Exact(
          "an index costs more than that with %d classes and k = %d".formatted(numClasses, k));
    }
    long start = System.nanoTime();
    build();
    long built = System.nanoTime();
    int batch = Math.min(sample.size(), Math.max(exact.batchSize(), MAX_BATCH));
    double found = 0;
    try (var chunk = new Embeddings(batch, shape, engine)) {
      double[] least = leastOfBest(sample, chunk, exact);
      for (int tried = first; cost(tried) < 1; tried *= 2) {
        effort(tried);
        found = recall(sample, chunk, least);
        if (found >= recall) {
          double seconds = (System.nanoTime() - built) * 1e-9;
          return chosen(found, sample.size(), (built - start) * 1e-9, seconds);
        }
      }
    }
    return new ClassSearch.Exact(
        "an index that costs less finds %s of the %d best of %d samples, but %s are wanted"
            .formatted(ClassSearch.percent(found), k, sample.size(), ClassSearch.percent(recall)));
  }

  /** Indexes the weights as they are now. */
  void build() {
    index.build();
  }

  /** Sets how many times as much as usual is looked at. */
  void effort(int effort) {
    this.effort = effort;
  }

  private int numProbes(int effort) {
    return (int) Math.min((long) PROBES * effort, numLists);
  }

  private int numCandidates(int effort) {
    return (int) Math.min((long) candidatesOfOne * effort, numClasses);
  }

  /** What a sample costs, as a share of scoring it with all classes. */
  private double cost(int effort) {
    double codes = (double) numClasses * numProbes(effort) / numLists;
    double centroids = numLists;
    return (centroids + COST_OF_CODE * codes + COST_OF_CANDIDATE * numCandidates(effort))
        / numClasses;
  }

  private ClassSearch chosen(double recall, int samples, double buildSeconds, double seconds) {
    return new ClassSearch.Indexed(
        numProbes(effort),
        numLists,
        numCandidates(effort),
        recall,
        k,
        samples,
        buildSeconds,
        seconds);
  }

  /** The smallest logit of each sample that is among its k best. */
  private static double[] leastOfBest(Embeddings sample, Embeddings chunk, ClassScorer exact) {
    double[] least = new double[sample.size()];
    for (int from = 0; from < least.length; from += exact.batchSize()) {
      scoreChunk(exact, sample, from, chunk);
      for (int i = 0; i < chunk.size(); i++) {
        least[from + i] = exact.logit(i, exact.size(i) - 1);
      }
    }
    return least;
  }

  /** The share of the best that is found. By logits, so that any of several equal ones counts. */
  private double recall(Embeddings sample, Embeddings chunk, double[] least) {
    long hits = 0;
    for (int from = 0; from < least.length; from += batchSize()) {
      scoreChunk(this, sample, from, chunk);
      for (int i = 0; i < chunk.size(); i++) {
        double enough = least[from + i] - ROUNDING * Math.abs(least[from + i]);
        for (int rank = 0; rank < size(i) && logit(i, rank) >= enough; rank++) {
          hits++;
        }
      }
    }
    return (double) hits / ((long) k * least.length);
  }

  private static void scoreChunk(BestClasses by, Embeddings sample, int from, Embeddings chunk) {
    int to = Math.min(sample.size(), from + by.batchSize());
    chunk.gather(sample, IntStream.range(from, to).toArray());
    by.score(chunk);
  }

  @Override
  public int k() {
    return k;
  }

  @Override
  public int batchSize() {
    return Math.clamp(MAX_CANDIDATES / numCandidates(effort), 1, MAX_BATCH);
  }

  @Override
  public void score(Embeddings embeddings) {
    index.search(embeddings, effort, candidates);
    workers.run(embeddings.size(), this::keepBest);
  }

  private void keepBest(int sample, int worker) {
    int size = candidates.size(sample);
    if (keys[worker].length < size) {
      keys[worker] = new long[size + size / 4];
    }
    long[] own = keys[worker];
    int count = 0;
    for (int i = 0; i < size; i++) {
      float logit = candidates.score(sample, i) * scale;
      if (!Float.isNaN(logit)) {
        own[count++] = Ranking.key(logit, candidates.classId(sample, i));
      }
    }
    int kept = Math.min(k, count);
    Ranking.selectBest(own, count, kept);
    Arrays.sort(own, 0, kept);
    if (best[sample].length < kept) {
      best[sample] = new long[k];
    }
    System.arraycopy(own, 0, best[sample], 0, kept);
    sizes[sample] = kept;
  }

  @Override
  public int size(int sample) {
    return sizes[sample];
  }

  @Override
  public int classId(int sample, int rank) {
    return Ranking.id(best[sample][rank]);
  }

  @Override
  public double logit(int sample, int rank) {
    return Ranking.score(best[sample][rank]);
  }

  @Override
  public void close() {
    index.close();
  }
}
