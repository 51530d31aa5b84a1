// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static megaclass.compute.ComputeBackend.PANEL;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;
import megaclass.internal.Permutation;

/**
 * The operands of one thread: those of a tile of 128 classes with a batch of 256 samples, as the
 * softmax head has them, and its part of a matrix that is larger than the caches.
 */
final class KernelMemory implements AutoCloseable {
  static final int NUM_ROWS = 128;
  static final int NUM_PANELS = 4;

  final int dim;
  final int stride;
  final int numBlocks;
  final long[] rows = new long[NUM_ROWS];
  final long[] velocities = new long[NUM_ROWS];
  final long panels;
  final long packed;

  /** Floats from row to row of {@link #packed}, as in the softmax head. */
  final int packedStride;

  final long blocks;
  final long offsets;
  final long sums;
  final MemorySegment copyFrom;
  final MemorySegment copyTo;
  final MemorySegment links;
  int chain;
  final float[] fmaValues = new float[PANEL];
  final long[] countValues = {1, 2, 3, 4, 5, 6, 7, 8};
  final float[] readSums = new float[PANEL];
  final CodeMemory codes;
  final BatchMemory batches;

  private final MemorySegment tiles;
  private final MemorySegment embeddingGradients;
  private final MemorySegment rowGradients;
  private final RowMatrix matrix;
  private final int firstRow;
  private final int numRows;
  private final int[] order;
  private int next;

  /**
   * Allocates.
   *
   * @param worker which of {@code threads} equal parts of the matrix is this thread's
   * @param copyBytes size of what is copied, over all threads
   * @param backend that makes the codes
   */
  KernelMemory(
      RowMatrix matrix,
      int worker,
      int threads,
      long copyBytes,
      ComputeBackend backend,
      Arena arena) {
    this.matrix = matrix;
    dim = matrix.width();
    stride = matrix.stride();
    numBlocks = (dim + PANEL - 1) / PANEL;
    numRows = matrix.numRows() / threads / NUM_ROWS * NUM_ROWS;
    firstRow = worker * numRows;
    order = order(numRows, worker);
    long panelFloats = (long) NUM_PANELS * PANEL;
    panels = floats(panelFloats * stride, arena).address();
    tiles = floats(panelFloats * NUM_ROWS, arena);
    packedStride = stride + ComputeBackend.ROW_ALIGNMENT;
    packed = floats((long) NUM_ROWS * packedStride, arena).address();
    embeddingGradients = constants(panelFloats * stride, 0f, arena);
    blocks = floats(panelFloats * numBlocks * PANEL, arena).address();
    rowGradients = constants((long) NUM_ROWS * numBlocks * PANEL, 0f, arena);
    offsets = constants(panelFloats, 2f, arena).address();
    sums = constants(panelFloats, 0f, arena).address();
    long bytes = copyBytes / threads & -MemoryPeaks.BLOCK;
    copyFrom = NativeMemory.allocate(bytes, arena).fill((byte) 1);
    copyTo = NativeMemory.allocate(bytes, arena).fill((byte) 2);
    links = links(bytes, arena);
    codes = new CodeMemory(dim, backend, arena);
    batches = new BatchMemory(dim, bytes, worker, backend);
    for (int i = 0; i < fmaValues.length; i++) {
      fmaValues[i] = i;
    }
  }

  private static int[] order(int size, int key) {
    var permutation = new Permutation(size, key);
    return IntStream.range(0, size).map(i -> (int) permutation.at(i)).toArray();
  }

  /** Each of the links tells which is the next one: one ring through all, in random order. */
  private static MemorySegment links(long bytes, Arena arena) {
    var links = NativeMemory.allocate(bytes, arena);
    int[] ring = order((int) (bytes / (4L * MemoryPeaks.LINK)), 1);
    for (int i = 0; i < ring.length; i++) {
      links.setAtIndex(JAVA_INT, (long) ring[i] * MemoryPeaks.LINK, ring[(i + 1) % ring.length]);
    }
    return links;
  }

  /** Small random numbers, so that sums stay finite however long a kernel runs. */
  private static MemorySegment floats(long count, Arena arena) {
    var random = new SplittableRandom(count);
    var floats = NativeMemory.allocate(4 * count, arena);
    for (long i = 0; i < count; i++) {
      floats.setAtIndex(JAVA_FLOAT, i, (float) (1e-3 * random.nextGaussian()));
    }
    return floats;
  }

  private static MemorySegment constants(long count, float value, Arena arena) {
    var floats = NativeMemory.allocate(4 * count, arena);
    for (long i = 0; i < count; i++) {
      floats.setAtIndex(JAVA_FLOAT, i, value);
    }
    return floats;
  }

  /** Turns to the next rows of this thread's part, one after the other. */
  void nextRows() {
    for (int r = 0; r < NUM_ROWS; r++) {
      take(r, next + r);
    }
    next = (next + NUM_ROWS) % numRows;
  }

  /** Turns to the next rows of this thread's part in random order. */
  void nextRandomRows() {
    for (int r = 0; r < NUM_ROWS; r++) {
      take(r, order[next + r]);
    }
    next = (next + NUM_ROWS) % numRows;
  }

  private void take(int r, int row) {
    rows[r] = matrix.address(firstRow + row);
    velocities[r] = matrix.velocityAddress(firstRow + row);
  }

  long panel(int panel) {
    return panels + 4L * PANEL * stride * panel;
  }

  long tile(int panel) {
    return tiles.address() + 4L * PANEL * NUM_ROWS * panel;
  }

  long embeddingGradient(int panel) {
    return embeddingGradients.address() + 4L * PANEL * stride * panel;
  }

  long lanes(long of, int panel) {
    return of + 4L * PANEL * panel;
  }

  long rowGradient(int r) {
    return rowGradients.address() + 4L * PANEL * numBlocks * r;
  }

  /** Logits or exponentials, (panels, rows, 64). */
  MemorySegment allTiles() {
    return tiles;
  }

  /** (panels, stride, 64). */
  MemorySegment allEmbeddingGradients() {
    return embeddingGradients;
  }

  /** (rows, blocks * 64). */
  MemorySegment allRowGradients() {
    return rowGradients;
  }

  /** Weights and velocity of the last of the current rows. */
  MemorySegment lastRow() {
    return MemorySegment.ofAddress(rows[NUM_ROWS - 1]).reinterpret(8L * stride);
  }

  /** Frees what is not the arena's. */
  @Override
  public void close() {
    batches.close();
  }

  /** Rows of a matrix with velocities that takes so many bytes. */
  static int rowsIn(long bytes, int dim) {
    return (int) (bytes / (8L * ComputeBackend.padded(dim)));
  }
}
