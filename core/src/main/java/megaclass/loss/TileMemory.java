// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static megaclass.compute.ComputeBackend.PANEL;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;

/**
 * The memory of {@link SoftmaxHead}: bounded, however many classes are active.
 *
 * <p>It keeps the exponentials of as many tiles as fit {@link #MOST_KEPT_BYTES} from the forward
 * for the backward pass; the rest are recomputed. Per chunk it holds running maxima and sums of the
 * samples and a partial gradient of the embeddings; per thread the operands of one tile.
 */
final class TileMemory implements AutoCloseable {
  /** Floats of logits that a tile has with the whole batch: with its operands it fills a L2. */
  private static final int TILE_FLOATS = 65_536;

  private static final int MAX_TILE_ROWS = 128;
  private static final int MIN_TILE_ROWS = 16;

  /** At most this many threads share a batch; partial sums are made and added for each chunk. */
  private static final int MAX_CHUNKS = 16;

  /** Below four tiles a chunk is not worth its partial gradient. */
  private static final int TILES_PER_CHUNK = 4;

  private static final long MOST_KEPT_BYTES = 128L << 20;

  /**
   * Between rows of scaled weights, beyond their own: a power of two from row to row would put all
   * rows of a column into a few sets of the cache, where they push each other out.
   */
  private static final int ROW_GAP = ComputeBackend.ROW_ALIGNMENT;

  /** Finite, so that (-infinity) - offset is never NaN; below every logit that can occur. */
  private static final float LOWEST = -1e30f;

  /**
   * How a part of a batch is cut: tile t has rows [t * tileRows, (t + 1) * tileRows) of its active
   * classes; the first {@code numKept} tiles lie in the kept memory, from a byte on.
   */
  record Tiles(
      int numActive,
      int tileRows,
      int numPanels,
      int numTiles,
      long keptFrom,
      int numKept,
      int numChunks) {
    /** The first byte of the kept memory that the next part may use. */
    long keptTo() {
      return keptFrom + tileBytes() * numKept;
    }

    private long tileBytes() {
      return 4L * PANEL * numPanels * tileRows;
    }

    /** The first tile of a chunk. */
    int firstTile(int chunk) {
      return (int) ((long) numTiles * chunk / numChunks);
    }

    /** Active classes in a tile. */
    int rows(int tile) {
      return Math.min(tileRows, numActive - tile * tileRows);
    }
  }

  private final Arena arena = Arena.ofShared();
  private final int stride;
  private final int maxPanels;
  private final long keptBytes;
  private final long kept;
  private final long keptOffsets;
  private final long[] maxima = new long[MAX_CHUNKS];
  private final long[] sums = new long[MAX_CHUNKS];
  private final long[] gradients = new long[MAX_CHUNKS];
  private final long logSumExps;
  private final long factors;
  private final long[] operands;
  private final long tileBytes;
  private final long packedBytes;
  private final MemorySegment all;

  /** Allocates for batches of this size over at most so many active classes. */
  TileMemory(int batchSize, int width, int mostActive, int threads) {
    stride = ComputeBackend.padded(width);
    maxPanels = (batchSize + PANEL - 1) / PANEL;
    long laneBytes = 4L * PANEL * maxPanels;
    tileBytes = tileBytes(maxPanels);
    packedBytes = 4L * MAX_TILE_ROWS * packedStride();
    keptBytes = keptBytes(maxPanels, mostActive);
    all = NativeMemory.allocate(sizeInBytes(batchSize, width, mostActive, threads), arena);
    var allocator =
        new Object() {
          private long next = all.address();

          long take(long bytes) {
            long address = next;
            next += (bytes + 63) / 64 * 64;
            return address;
          }
        };
    kept = allocator.take(keptBytes);
    keptOffsets = allocator.take(keptBytes / MIN_TILE_ROWS);
    logSumExps = allocator.take(laneBytes);
    factors = allocator.take(laneBytes);
    for (int chunk = 0; chunk < MAX_CHUNKS; chunk++) {
      maxima[chunk] = allocator.take(laneBytes);
      sums[chunk] = allocator.take(laneBytes);
      gradients[chunk] = allocator.take(laneBytes * stride);
    }
    operands = new long[threads];
    for (int worker = 0; worker < threads; worker++) {
      operands[worker] = allocator.take(operandBytes(maxPanels, width));
    }
  }

  /** Enough for all active classes, if that is not too much. */
  private static long keptBytes(int maxPanels, int mostActive) {
    return Math.min(MOST_KEPT_BYTES, 4L * PANEL * maxPanels * (mostActive + (long) MAX_TILE_ROWS));
  }

  private static long tileBytes(int maxPanels) {
    return Math.max(4L * TILE_FLOATS, 4L * MIN_TILE_ROWS * PANEL * maxPanels);
  }

  private static long operandBytes(int maxPanels, int width) {
    long blocks = ((long) width + PANEL - 1) / PANEL;
    return tileBytes(maxPanels)
        + 4L * MAX_TILE_ROWS * (ComputeBackend.padded(width) + ROW_GAP + blocks * PANEL)
        + 4L * PANEL;
  }

  static long sizeInBytes(int batchSize, int width, int mostActive, int threads) {
    int panels = (batchSize + PANEL - 1) / PANEL;
    long laneBytes = 4L * PANEL * panels;
    long keptBytes = keptBytes(panels, mostActive);
    return keptBytes
        + keptBytes / MIN_TILE_ROWS
        + 64
        + 2 * laneBytes
        + MAX_CHUNKS * laneBytes * (2 + ComputeBackend.padded(width))
        + threads * (operandBytes(panels, width) + 64);
  }

  /**
   * Cuts a part of a batch; the same cut for the same sizes, whatever the number of threads.
   *
   * @param size samples of the part
   * @param keptFrom bytes of the kept memory that parts before it use
   */
  Tiles plan(int size, int numActive, long keptFrom) {
    int panels = (size + PANEL - 1) / PANEL;
    int fitting = TILE_FLOATS / (panels * PANEL) / ComputeBackend.ROW_BLOCK;
    int tileRows =
        Math.clamp((long) fitting * ComputeBackend.ROW_BLOCK, MIN_TILE_ROWS, MAX_TILE_ROWS);
    int numTiles = Math.ceilDiv(numActive, tileRows);
    int numKept =
        (int) Math.min(numTiles, (keptBytes - keptFrom) / (4L * tileRows * PANEL * panels));
    int numChunks = Math.clamp((numTiles + TILES_PER_CHUNK - 1) / TILES_PER_CHUNK, 1, MAX_CHUNKS);
    return new Tiles(numActive, tileRows, panels, numTiles, keptFrom, numKept, numChunks);
  }

  /** Address of the logits of a tile, (numPanels, tileRows, 64): kept, or the thread's own. */
  long logits(int tile, int worker, Tiles tiles) {
    return tile < tiles.numKept()
        ? kept + tiles.keptFrom() + tiles.tileBytes() * tile
        : operands[worker];
  }

  /** Address of what was taken off the logits of a kept tile before exp, (numPanels, 64). */
  long keptOffsets(int tile, Tiles tiles) {
    // A tile has at least so many rows, so parts before this one have used no more.
    long from = tiles.keptFrom() / MIN_TILE_ROWS;
    return keptOffsets + from + 4L * PANEL * tiles.numPanels() * tile;
  }

  /** Floats from row to row of {@link #packedRows}. */
  int packedStride() {
    return stride + ROW_GAP;
  }

  /** Address of a thread's scaled rows, (tileRows, packedStride). */
  long packedRows(int worker) {
    return operands[worker] + tileBytes;
  }

  /** Address of a thread's 64 floats. */
  long lanes(int worker) {
    return packedRows(worker) + packedBytes;
  }

  /** Address of a thread's row gradients, (tileRows, numBlocks * 64). */
  long rowGradients(int worker) {
    return lanes(worker) + 4L * PANEL;
  }

  /** Address of the running maxima of a chunk, (numPanels, 64). */
  long maxima(int chunk) {
    return maxima[chunk];
  }

  /** Address of the running sums of exp(logit - maximum) of a chunk, (numPanels, 64). */
  long sums(int chunk) {
    return sums[chunk];
  }

  /** Address of a chunk's share of the gradient of the embeddings, (numPanels, stride, 64). */
  long gradient(int chunk) {
    return gradients[chunk];
  }

  /** Address of log Z of every sample, (numPanels, 64). */
  long logSumExps() {
    return logSumExps;
  }

  /** Address of 1 / batch of every sample, 0 for those that only fill up, (numPanels, 64). */
  long factors() {
    return factors;
  }

  void clearSums(int chunk, Tiles tiles) {
    segment(sums[chunk], 4L * PANEL * tiles.numPanels()).fill((byte) 0);
    MemorySegment max = segment(maxima[chunk], 4L * PANEL * tiles.numPanels());
    for (long i = 0; i < (long) PANEL * tiles.numPanels(); i++) {
      max.set(JAVA_FLOAT_UNALIGNED, 4L * i, LOWEST);
    }
  }

  void clearGradient(int chunk, Tiles tiles) {
    segment(gradients[chunk], 4L * PANEL * tiles.numPanels() * stride).fill((byte) 0);
  }

  /** The chunks' gradients, to be added in this order. */
  long[] gradients(Tiles tiles) {
    return Arrays.copyOf(gradients, tiles.numChunks());
  }

  /** log of the sum of exp(logit) over all chunks, and of 1 for a target outside the sum. */
  double logSumExp(int sample, Tiles tiles, boolean plusOne) {
    double max = plusOne ? 0 : LOWEST;
    for (int chunk = 0; chunk < tiles.numChunks(); chunk++) {
      max = Math.max(max, get(maxima[chunk], sample));
    }
    double sum = plusOne ? Math.exp(-max) : 0;
    for (int chunk = 0; chunk < tiles.numChunks(); chunk++) {
      sum += get(sums[chunk], sample) * Math.exp(get(maxima[chunk], sample) - max);
    }
    return max + Math.log(sum);
  }

  /** Lays out what the backward pass needs of every sample of a part of a batch. */
  void setSampleFactors(double[] logSumExp, int batch) {
    int size = logSumExp.length;
    for (int i = 0; i < (size + PANEL - 1) / PANEL * PANEL; i++) {
      set(logSumExps, i, i < size ? (float) logSumExp[i] : 0f);
      set(factors, i, i < size ? 1f / batch : 0f);
    }
  }

  private MemorySegment segment(long address, long bytes) {
    return all.asSlice(address - all.address(), bytes);
  }

  float get(long address, long index) {
    return all.get(JAVA_FLOAT_UNALIGNED, address - all.address() + 4 * index);
  }

  void set(long address, long index, float value) {
    all.set(JAVA_FLOAT_UNALIGNED, address - all.address() + 4 * index, value);
  }

  @Override
  public void close() {
    arena.close();
  }
}
