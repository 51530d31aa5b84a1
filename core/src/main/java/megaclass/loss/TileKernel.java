// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import static megaclass.compute.ComputeBackend.PANEL;
import static megaclass.compute.ComputeBackend.ROW_BLOCK;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;
import megaclass.compute.RowUpdate;
import megaclass.loss.TileMemory.Tiles;

/** One thread's work on one tile of active classes, with all samples of a part of the batch. */
final class TileKernel {
  private static final int MAX_ROWS = 128;

  private final Loss loss;
  private final RowMatrix weights;
  private final TileMemory memory;
  private final ComputeBackend backend;
  private final int worker;
  private final int stride;
  private final MemorySegment widened;

  private final long[] rows = new long[MAX_ROWS];
  private final float[] scales = new float[MAX_ROWS];
  private final float[] shifts = new float[MAX_ROWS];

  TileKernel(Loss loss, RowMatrix weights, TileMemory memory, ComputeBackend backend, int worker) {
    this.loss = loss;
    this.weights = weights;
    this.memory = memory;
    this.backend = backend;
    this.worker = worker;
    this.stride = weights.stride();
    widened = NativeMemory.allocate(4L * MAX_ROWS * stride, Arena.ofAuto());
  }

  /** Adds a tile to the running maxima and sums of its chunk. */
  void forward(int tile, int chunk, BatchPart part) {
    var tiles = part.tiles();
    var embeddings = part.embeddings();
    int padded = gather(tile, part);
    measure(tile, part);
    boolean kept = tile < tiles.numKept();
    for (int panel = 0; panel < tiles.numPanels(); panel++) {
      long z = logitsOf(tile, panel, part);
      backend.logits(rows, padded, embeddings.panel(panel), embeddings.width(), z);
      backend.scaleAndShift(z, padded, scales, shifts);
      applyMargins(tile, panel, z, part.targets());
      long lanes = 4L * PANEL * panel;
      long max = memory.maxima(chunk) + lanes;
      long sum = memory.sums(chunk) + lanes;
      backend.columnMax(z, padded, memory.lanes(worker));
      raise(max, sum, memory.lanes(worker));
      backend.expAndSum(z, padded, max, sum);
      if (kept) {
        backend.scaled(max, 1f, PANEL, memory.keptOffsets(tile, tiles) + lanes);
      }
    }
  }

  /** Addresses and log weights of a tile's rows, filled up to whole blocks that do not count. */
  private int gather(int tile, BatchPart part) {
    var tiles = part.tiles();
    var active = part.active();
    int count = tiles.rows(tile);
    int padded = (count + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
    int first = tile * tiles.tileRows();
    for (int r = 0; r < count; r++) {
      long scratch = widened.address() + 4L * r * stride;
      rows[r] = weights.read(active.classId(first + r), scratch, backend);
      shifts[r] = active.logWeight(first + r);
    }
    for (int r = count; r < padded; r++) { // takes part in no sum
      rows[r] = rows[0];
      scales[r] = 0;
      shifts[r] = Float.NEGATIVE_INFINITY;
    }
    return padded;
  }

  /** What makes logits of inner products with a tile's rows; backward finds it in the part. */
  private void measure(int tile, BatchPart part) {
    int first = tile * part.tiles().tileRows();
    for (int r = 0; r < part.tiles().rows(tile); r++) {
      scales[r] =
          loss.normalised() ? backend.inverseNorm(rows[r], stride) * (float) loss.scale() : 1f;
      part.scales()[first + r] = scales[r];
    }
  }

  private long logitsOf(int tile, int panel, BatchPart part) {
    var tiles = part.tiles();
    return memory.logits(tile, worker, tiles) + 4L * PANEL * tiles.tileRows() * panel;
  }

  private void applyMargins(int tile, int panel, long z, BatchTargets targets) {
    int end = targets.firstIn(tile + 1);
    for (int index = targets.firstIn(tile); index < end; index++) {
      int sample = targets.sample(index);
      if (sample / PANEL == panel) {
        int row = targets.row(sample);
        int entry = row * PANEL + sample % PANEL;
        float logit = targets.apply(sample, memory.get(z, entry) - shifts[row], shifts[row]);
        memory.set(z, entry, logit);
      }
    }
  }

  /** Raises the running maxima to those of a tile; sums so far are rescaled, which is rare. */
  private void raise(long max, long sum, long tileMax) {
    for (int lane = 0; lane < PANEL; lane++) {
      float before = memory.get(max, lane);
      float now = memory.get(tileMax, lane);
      if (now > before) {
        memory.set(max, lane, now);
        memory.set(sum, lane, memory.get(sum, lane) * (float) Math.exp(before - now));
      }
    }
  }

  /**
   * Adds a tile to the gradient of the embeddings and passes on the gradients of its rows.
   *
   * @param batch samples of the whole batch, over which the loss is a mean
   */
  void backward(int tile, int chunk, BatchPart part, int batch, RowUpdate update) {
    var tiles = part.tiles();
    int padded = gather(tile, part);
    System.arraycopy(part.scales(), tile * tiles.tileRows(), scales, 0, tiles.rows(tile));
    long packed = memory.packedRows(worker);
    int packedStride = memory.packedStride();
    for (int r = 0; r < padded; r++) {
      backend.scaled(rows[r], scales[r], stride, packed + 4L * r * packedStride);
    }
    long tileGradient = memory.logits(tile, worker, tiles);
    for (int panel = 0; panel < tiles.numPanels(); panel++) {
      long g = logitsOf(tile, panel, part);
      probabilities(tile, panel, padded, part, g);
      subtractTargets(tile, panel, g, part, batch);
      long into = memory.gradient(chunk) + 4L * PANEL * stride * panel;
      backend.embeddingGradient(packed, packedStride, g, padded, stride, into);
    }
    updateRows(tile, padded, tileGradient, part, update);
  }

  /** g = p / batch: from the kept exponentials, or from the logits anew. */
  private void probabilities(int tile, int panel, int padded, BatchPart part, long g) {
    var tiles = part.tiles();
    var embeddings = part.embeddings();
    long lanes = 4L * PANEL * panel;
    long logSumExp = memory.logSumExps() + lanes;
    long factor = memory.factors() + lanes;
    if (tile < tiles.numKept()) {
      long correction = memory.lanes(worker);
      backend.scaled(memory.keptOffsets(tile, tiles) + lanes, 1f, PANEL, correction);
      backend.expAndScale(correction, 1, logSumExp, factor);
      backend.scaleColumns(g, padded, correction);
    } else {
      backend.logits(rows, padded, embeddings.panel(panel), embeddings.width(), g);
      backend.scaleAndShift(g, padded, scales, shifts);
      backend.expAndScale(g, padded, logSumExp, factor);
    }
  }

  private void subtractTargets(int tile, int panel, long g, BatchPart part, int batch) {
    var targets = part.targets();
    int end = targets.firstIn(tile + 1);
    for (int index = targets.firstIn(tile); index < end; index++) {
      int sample = targets.sample(index);
      if (sample / PANEL == panel) {
        double gradient = targets.gradient(sample, part.logSumExp()[sample]) / batch;
        memory.set(g, targets.row(sample) * PANEL + sample % PANEL, (float) gradient);
      }
    }
  }

  /**
   * The gradient of row w is scale/|w| (u - (u . wh) wh), wh = w/|w|, where u is the gradient by
   * its scaled unit row; without normalisation it is u.
   */
  private void updateRows(
      int tile, int padded, long tileGradient, BatchPart part, RowUpdate update) {
    var tiles = part.tiles();
    var embeddings = part.embeddings();
    long gradients = memory.rowGradients(worker);
    // The kernel reads (numPanels, padded, 64); in memory a panel has tileRows rows.
    compact(tileGradient, padded, tiles);
    backend.weightGradient(
        tileGradient,
        tiles.numPanels(),
        padded,
        embeddings.blocks(),
        embeddings.numBlocks(),
        gradients);
    long gradientBytes = 4L * PANEL * embeddings.numBlocks();
    int first = tile * tiles.tileRows();
    for (int r = 0; r < tiles.rows(tile); r++) {
      long u = gradients + r * gradientBytes;
      if (loss.normalised()) {
        float unit = scales[r] / (float) loss.scale();
        float along = backend.dot(u, rows[r], stride) * unit * unit;
        backend.addScaled(rows[r], -along, stride, u);
        backend.scaled(u, scales[r], stride, u);
      }
      update.update(part.active().classId(first + r), u, worker);
    }
  }

  /** Only the last tile of a batch has fewer rows than the others. */
  private void compact(long tileGradient, int padded, Tiles tiles) {
    if (padded == tiles.tileRows()) {
      return;
    }
    for (int panel = 1; panel < tiles.numPanels(); panel++) {
      long from = tileGradient + 4L * PANEL * tiles.tileRows() * panel;
      long into = tileGradient + 4L * PANEL * padded * panel;
      backend.scaled(from, 1f, PANEL * padded, into);
    }
  }
}
