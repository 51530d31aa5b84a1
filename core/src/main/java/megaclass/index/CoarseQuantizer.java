// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static megaclass.compute.ComputeBackend.PANEL;
import static megaclass.compute.ComputeBackend.ROW_BLOCK;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import megaclass.internal.Hash;
import megaclass.internal.Permutation;
import megaclass.internal.Ranking;
import megaclass.internal.TopScores;

/**
 * The coarse quantizer of an inverted file: one centroid a list, by Lloyd's k-means over a sample
 * of the class weights. A class belongs to the list of the nearest centroid (Euclidean), ties to
 * the smaller list; a sample of a batch probes the lists of the largest inner products.
 *
 * <p>Works with all threads itself; one caller at a time. The result does not depend on threads.
 */
final class CoarseQuantizer implements AutoCloseable {
  /** Rows of a list that k-means sees on average: more made lists no better in faiss's tests. */
  private static final int SAMPLES_PER_LIST = 64;

  /** Sums of centroids are dealt to this many parts, each of which adds in the order of rows. */
  private static final int PARTS = 16;

  private static final int TILE_ROWS = 128;

  /** Lists among which a class of a list looks for its own: few go further in one repair. */
  private static final int NEAR = 256;

  private final IndexedRows rows;
  private final RowMatrix centroids;
  private final float[] minusHalfSquares;
  private final int[] allLists;
  private final ComputeBackend backend;
  private final Workers workers;
  private final Arena arena = Arena.ofShared();
  private final Scratch[] scratch;

  CoarseQuantizer(IndexedRows rows, int numLists, Engine engine) {
    this.rows = rows;
    this.backend = engine.backend();
    this.workers = engine.workers();
    centroids = new RowMatrix(numLists, rows.matrix().width(), RowMatrix.State.NONE);
    minusHalfSquares = new float[numLists];
    allLists = IntStream.range(0, numLists).toArray();
    scratch = new Scratch[workers.threads()];
    Arrays.setAll(scratch, _ -> new Scratch(rows.matrix().stride(), arena));
  }

  /** Operands of one thread. */
  private static final class Scratch {
    final long[] addresses = new long[TILE_ROWS];
    final float[] ones = new float[TILE_ROWS];
    final float[] shifts = new float[TILE_ROWS];
    final float[] bestScores = new float[PANEL];
    final int[] bestLists = new int[PANEL];

    /** A copy of the tile: single values are read from arrays at a part of the cost. */
    final float[] scores = new float[TILE_ROWS * PANEL];

    final MemorySegment row;
    final MemorySegment panel;
    final MemorySegment tile;
    final MemorySegment lanes;
    MemorySegment probeTile = MemorySegment.NULL;
    int[] probeHits = new int[0];

    Scratch(int stride, Arena arena) {
      Arrays.fill(ones, 1f);
      row = NativeMemory.allocate(4L * stride, arena);
      panel = NativeMemory.allocate(4L * stride * PANEL, arena);
      tile = NativeMemory.allocate(4L * TILE_ROWS * PANEL, arena);
      lanes = NativeMemory.allocate(4L * PANEL, arena);
    }

    /** Room for the scores of all lists with a panel of samples. */
    void reserveProbes(int numLists) {
      if (probeHits.length == 0) {
        int padded = Math.ceilDiv(numLists, ROW_BLOCK) * ROW_BLOCK;
        probeTile = NativeMemory.allocate(4L * PANEL * padded, Arena.ofAuto());
        probeHits = new int[PANEL * padded];
      }
    }

    void copyScores(int numRows) {
      MemorySegment.copy(tile, JAVA_FLOAT_UNALIGNED, 0, scores, 0, numRows * PANEL);
    }
  }

  /** Bytes of the centroids. */
  static long sizeInBytes(int numLists, int width) {
    return numLists * RowMatrix.State.NONE.bytesPerRow(width, RowFormat.FP32);
  }

  int numLists() {
    return centroids.numRows();
  }

  /** The centroids, one row a list; after a change {@link #centroidsChanged} must be called. */
  RowMatrix centroids() {
    return centroids;
  }

  /** Takes in centroids that were changed from outside. */
  void centroidsChanged() {
    for (int list = 0; list < numLists(); list++) {
      long centroid = centroids.address(list);
      minusHalfSquares[list] = -0.5f * backend.dot(centroid, centroid, centroids.stride());
    }
  }

  /** Trains the centroids anew from random rows. */
  void train(int iterations, long seed) {
    int numRows = rows.matrix().numRows();
    int size = (int) Math.min(numRows, (long) SAMPLES_PER_LIST * numLists());
    var order = new Permutation(numRows, seed);
    int[] sample = new int[size];
    Arrays.setAll(sample, i -> (int) order.at(i));
    for (int list = 0; list < numLists(); list++) {
      rows.copy(sample[list % size], centroids.address(list));
    }
    centroidsChanged();
    Arrays.sort(sample);
    int[] listOf = new int[size];
    for (int i = 0; i < iterations; i++) {
      assign(size, at -> sample[at], listOf);
      moveToMeans(sample, listOf, Hash.key(seed, i));
    }
  }

  /**
   * Finds the nearest centroid of some rows.
   *
   * @param rowAt from [0, count) to rows
   * @param into receives the list of each
   */
  void assign(int count, IntUnaryOperator rowAt, int[] into) {
    assign(count, rowAt, allLists, into);
  }

  /** As {@link #assign} does, for rows of a list, among the {@link #NEAR} lists nearest to it. */
  void assignNear(int list, int count, IntUnaryOperator rowAt, int[] into) {
    assign(count, rowAt, nearTo(list), into);
  }

  /** The lists whose centroids are nearest to that of a list, and itself; ascending. */
  private int[] nearTo(int list) {
    if (numLists() <= NEAR) {
      return allLists;
    }
    long[] keys = new long[numLists()];
    for (int other = 0; other < keys.length; other++) {
      long centroid = centroids.address(other);
      float product = backend.dot(centroids.address(list), centroid, centroids.stride());
      keys[other] = Ranking.key(product + minusHalfSquares[other], other);
    }
    Ranking.selectBest(keys, keys.length, NEAR);
    return Arrays.stream(keys, 0, NEAR).mapToInt(Ranking::id).sorted().toArray();
  }

  private void assign(int count, IntUnaryOperator rowAt, int[] lists, int[] into) {
    workers.run(
        Math.ceilDiv(count, PANEL),
        (task, worker) -> {
          Scratch own = scratch[worker];
          int from = task * PANEL;
          int size = Math.min(PANEL, count - from);
          rows.pack(size, lane -> rowAt.applyAsInt(from + lane), own.panel, own.row);
          nearest(lists, size, own);
          System.arraycopy(own.bestLists, 0, into, from, size);
        });
  }

  /** The smallest |w - mu| is the largest w . mu - |mu|^2 / 2. */
  private void nearest(int[] lists, int size, Scratch own) {
    Arrays.fill(own.bestScores, Float.NEGATIVE_INFINITY);
    Arrays.fill(own.bestLists, lists[0]);
    for (int from = 0; from < lists.length; from += TILE_ROWS) {
      int padded = gather(lists, from, own);
      backend.logits(
          own.addresses, padded, own.panel.address(), centroids.width(), own.tile.address());
      backend.scaleAndShift(own.tile.address(), padded, own.ones, own.shifts);
      backend.columnMax(own.tile.address(), padded, own.lanes.address());
      own.copyScores(padded);
      for (int lane = 0; lane < size; lane++) {
        float best = own.lanes.get(JAVA_FLOAT_UNALIGNED, 4L * lane);
        if (best > own.bestScores[lane]) {
          own.bestScores[lane] = best;
          own.bestLists[lane] = lists[from + firstRowWith(best, lane, own.scores)];
        }
      }
    }
  }

  private static int firstRowWith(float score, int lane, float[] scores) {
    int r = 0;
    while (scores[r * PANEL + lane] != score) {
      r++;
    }
    return r;
  }

  /** Centroids of a tile, filled up to whole blocks with ones that are never the best. */
  private int gather(int[] lists, int from, Scratch own) {
    int count = Math.min(TILE_ROWS, lists.length - from);
    int padded = (count + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
    for (int r = 0; r < count; r++) {
      own.addresses[r] = centroids.address(lists[from + r]);
      own.shifts[r] = minusHalfSquares[lists[from + r]];
    }
    for (int r = count; r < padded; r++) {
      own.addresses[r] = own.addresses[0];
      own.shifts[r] = Float.NEGATIVE_INFINITY;
    }
    return padded;
  }

  /** Lloyd's second half. A list without rows starts again from a random one. */
  private void moveToMeans(int[] sample, int[] listOf, long key) {
    int[] counts = new int[numLists()];
    for (int list : listOf) {
      counts[list]++;
    }
    workers.run(PARTS, (part, worker) -> addRows(part, sample, listOf, scratch[worker]));
    for (int list = 0; list < numLists(); list++) {
      long centroid = centroids.address(list);
      if (counts[list] == 0) {
        rows.copy(sample[Hash.below(sample.length, Hash.key(key, list))], centroid);
      } else {
        backend.scaled(centroid, 1f / counts[list], centroids.stride(), centroid);
      }
    }
    centroidsChanged();
  }

  /** Moves one centroid to the mean of some rows, added in their order. */
  void moveToMean(int list, int[] members, int count) {
    Scratch own = scratch[0];
    long centroid = centroids.address(list);
    backend.scaled(centroid, 0f, centroids.stride(), centroid);
    for (int i = 0; i < count; i++) {
      rows.copy(members[i], own.row.address());
      backend.addScaled(own.row.address(), 1f, centroids.stride(), centroid);
    }
    backend.scaled(centroid, 1f / count, centroids.stride(), centroid);
    minusHalfSquares[list] = -0.5f * backend.dot(centroid, centroid, centroids.stride());
  }

  private void addRows(int part, int[] sample, int[] listOf, Scratch own) {
    for (int list = part; list < numLists(); list += PARTS) {
      backend.scaled(centroids.address(list), 0f, centroids.stride(), centroids.address(list));
    }
    for (int i = 0; i < sample.length; i++) {
      if (listOf[i] % PARTS == part) {
        rows.copy(sample[i], own.row.address());
        backend.addScaled(own.row.address(), 1f, centroids.stride(), centroids.address(listOf[i]));
      }
    }
  }

  /**
   * Finds the lists that score best with the samples of a panel.
   *
   * @param numProbes lists of a sample, at most {@link #numLists}
   * @param top receives (list, mu . x) of each sample, best first; cleared by the caller
   */
  void probe(Embeddings embeddings, int panel, int numProbes, int worker, TopScores top) {
    Scratch own = scratch[worker];
    own.reserveProbes(numLists());
    long tile = own.probeTile.address();
    for (int from = 0; from < numLists(); from += TILE_ROWS) {
      int padded = gather(allLists, from, own);
      long at = tile + 4L * PANEL * from;
      backend.logits(own.addresses, padded, embeddings.panel(panel), embeddings.width(), at);
    }
    backend.columnThreshold(tile, numLists(), numProbes, own.lanes.address());
    int samples = Math.min(PANEL, embeddings.size() - panel * PANEL);
    for (int lane = 0; lane < PANEL; lane++) {
      float reached = own.lanes.getAtIndex(JAVA_FLOAT_UNALIGNED, lane);
      float below = lane < samples ? Math.nextDown(reached) : Float.POSITIVE_INFINITY;
      own.lanes.setAtIndex(JAVA_FLOAT_UNALIGNED, lane, below);
    }
    int found = backend.above(tile, numLists(), own.lanes.address(), own.probeHits);
    for (int h = 0; h < found; h++) {
      int hit = own.probeHits[h];
      float score = own.probeTile.getAtIndex(JAVA_FLOAT_UNALIGNED, hit);
      top.offer(panel * PANEL + hit % PANEL, hit / PANEL, score);
    }
  }

  @Override
  public void close() {
    arena.close();
    centroids.close();
  }
}
