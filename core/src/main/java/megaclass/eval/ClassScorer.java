// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static megaclass.compute.ComputeBackend.PANEL;
import static megaclass.compute.ComputeBackend.ROW_BLOCK;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import megaclass.internal.Check;
import megaclass.internal.TopScores;
import megaclass.loss.Loss;
import megaclass.weights.ClassWeights;

/**
 * Scores a batch with all classes and keeps, for each sample, the best k, log Z and the logits of
 * its own classes: exact, and in memory that does not depend on the number of classes.
 *
 * <p>Each thread takes some samples through all class weights, tile by tile. Not thread-safe, but
 * works with all threads itself.
 */
public final class ClassScorer implements BestClasses {
  private static final int TILE_ROWS = 128;

  /** Samples that go through the weights together: fewer read the weights from memory too often. */
  private static final int PANELS_PER_TASK = 2;

  private final RowMatrix rows;
  private final Loss loss;
  private final int k;
  private final ComputeBackend backend;
  private final Workers workers;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment thresholds;
  private final MemorySegment maxima;
  private final MemorySegment sums;
  private final Scratch[] scratch;
  private final TopScores top;
  private final int capacity;

  /**
   * Allocates for batches of up to {@link #preferredBatch} samples.
   *
   * @param k classes to keep, at least 1; all when there are fewer
   */
  public ClassScorer(ClassWeights weights, Loss loss, int k, Engine engine) {
    this.rows = weights.matrix();
    this.loss = loss;
    this.k = Math.min(Check.atLeast("k", k, 1), weights.numClasses());
    this.backend = engine.backend();
    this.workers = engine.workers();
    capacity = preferredBatch(workers);
    thresholds = NativeMemory.allocate(4L * capacity, arena);
    maxima = NativeMemory.allocate(4L * capacity, arena);
    sums = NativeMemory.allocate(4L * capacity, arena);
    top = new TopScores(capacity, this.k);
    scratch = new Scratch[workers.threads()];
    Arrays.setAll(scratch, _ -> new Scratch(rows.stride(), arena));
  }

  /** The number of samples that keeps all threads busy. */
  public static int preferredBatch(Workers workers) {
    return 2 * PANEL * PANELS_PER_TASK * workers.threads();
  }

  @Override
  public int k() {
    return k;
  }

  @Override
  public int batchSize() {
    return capacity;
  }

  /** Operands of one thread. */
  private static final class Scratch {
    final long[] rows = new long[TILE_ROWS];
    final float[] scales = new float[TILE_ROWS];
    final float[] shifts = new float[TILE_ROWS];
    final int[] hits = new int[TILE_ROWS * PANEL];
    final MemorySegment tile;
    final MemorySegment tileMax;
    final MemorySegment widened;

    Scratch(int stride, Arena arena) {
      widened = NativeMemory.allocate(4L * TILE_ROWS * stride, arena);
      tile = NativeMemory.allocate(4L * TILE_ROWS * PANEL, arena);
      tileMax = NativeMemory.allocate(4L * PANEL, arena);
    }
  }

  @Override
  public void score(Embeddings embeddings) {
    top.clear();
    fill(thresholds, Float.NEGATIVE_INFINITY);
    fill(maxima, -1e30f);
    fill(sums, 0f);
    int numTasks = (embeddings.numPanels() + PANELS_PER_TASK - 1) / PANELS_PER_TASK;
    workers.run(numTasks, (task, worker) -> scorePanels(task, scratch[worker], embeddings));
  }

  private void fill(MemorySegment lanes, float value) {
    for (int i = 0; i < capacity; i++) {
      lanes.set(JAVA_FLOAT_UNALIGNED, 4L * i, value);
    }
  }

  private void scorePanels(int task, Scratch own, Embeddings embeddings) {
    int first = task * PANELS_PER_TASK;
    int last = Math.min(embeddings.numPanels(), first + PANELS_PER_TASK);
    int numTiles = Math.ceilDiv(rows.numRows(), TILE_ROWS);
    for (int tile = 0; tile < numTiles; tile++) { // from + TILE_ROWS may be more than an int holds
      int from = tile * TILE_ROWS;
      int count = Math.min(TILE_ROWS, rows.numRows() - from);
      int padded = gather(from, count, own);
      for (int panel = first; panel < last; panel++) {
        backend.logits(
            own.rows, padded, embeddings.panel(panel), embeddings.width(), own.tile.address());
        backend.scaleAndShift(own.tile.address(), padded, own.scales, own.shifts);
        keepBest(from, padded, panel, embeddings.size(), own);
        addToSums(padded, panel, own);
      }
    }
  }

  private int gather(int from, int count, Scratch own) {
    int padded = (count + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
    for (int r = 0; r < count; r++) {
      long scratch = own.widened.address() + 4L * r * rows.stride();
      own.rows[r] = rows.read(from + r, scratch, backend);
      own.scales[r] =
          loss.normalised()
              ? (float) loss.scale() * backend.inverseNorm(own.rows[r], rows.stride())
              : 1f;
      own.shifts[r] = 0f;
    }
    for (int r = count; r < padded; r++) {
      own.rows[r] = own.rows[0];
      own.scales[r] = 0f;
      own.shifts[r] = Float.NEGATIVE_INFINITY;
    }
    return padded;
  }

  private void keepBest(int from, int padded, int panel, int batch, Scratch own) {
    long lanes = 4L * PANEL * panel;
    int found = backend.above(own.tile.address(), padded, thresholds.address() + lanes, own.hits);
    for (int h = 0; h < found; h++) {
      int lane = own.hits[h] % PANEL;
      int sample = panel * PANEL + lane;
      if (sample < batch) {
        float logit = own.tile.get(JAVA_FLOAT_UNALIGNED, 4L * own.hits[h]);
        float least = top.offer(sample, from + own.hits[h] / PANEL, logit);
        thresholds.set(JAVA_FLOAT_UNALIGNED, lanes + 4L * lane, least);
      }
    }
  }

  private void addToSums(int padded, int panel, Scratch own) {
    long lanes = 4L * PANEL * panel;
    backend.columnMax(own.tile.address(), padded, own.tileMax.address());
    for (int lane = 0; lane < PANEL; lane++) {
      float before = maxima.get(JAVA_FLOAT_UNALIGNED, lanes + 4L * lane);
      float now = own.tileMax.get(JAVA_FLOAT_UNALIGNED, 4L * lane);
      if (now > before) {
        float sum = sums.get(JAVA_FLOAT_UNALIGNED, lanes + 4L * lane);
        sums.set(JAVA_FLOAT_UNALIGNED, lanes + 4L * lane, sum * (float) Math.exp(before - now));
        maxima.set(JAVA_FLOAT_UNALIGNED, lanes + 4L * lane, now);
      }
    }
    backend.expAndSum(own.tile.address(), padded, maxima.address() + lanes, sums.address() + lanes);
  }

  /** How many classes were kept of a sample: k, or fewer when logits were not numbers. */
  @Override
  public int size(int sample) {
    return top.size(sample);
  }

  @Override
  public int classId(int sample, int rank) {
    return top.id(sample, rank);
  }

  @Override
  public double logit(int sample, int rank) {
    return top.score(sample, rank);
  }

  /** log of the sum of exp(logit) over all classes. */
  public double logSumExp(int sample) {
    return maxima.get(JAVA_FLOAT_UNALIGNED, 4L * sample)
        + Math.log(sums.get(JAVA_FLOAT_UNALIGNED, 4L * sample));
  }

  /**
   * Logit of one class with a sample, without margin, as in {@link #score}.
   *
   * @param worker the thread that asks
   */
  public double logitOf(Embeddings embeddings, int sample, int classId, int worker) {
    long row = rows.read(classId, scratch[worker].widened.address(), backend);
    double product = backend.dot(row, embeddings.row(sample), rows.stride());
    return loss.normalised()
        ? product * backend.inverseNorm(row, rows.stride()) * loss.scale()
        : product;
  }

  @Override
  public void close() {
    arena.close();
  }
}
