// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static megaclass.compute.ComputeBackend.PANEL;
import static megaclass.compute.ComputeBackend.ROW_BLOCK;

import java.lang.foreign.Arena;
import java.util.Arrays;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import megaclass.internal.Ranking;

/**
 * The classes that score best with any sample of the batch, found by scoring all of them: the
 * oracle that an index approximates ("optimal selection" of HF-Softmax). Costs a full forward pass;
 * ties go to the smaller class id.
 */
final class ExactTopClasses implements ClassSelector {
  /** Rows of a tile: at dim 128 they and their logits with a panel fill half a level-2 cache. */
  private static final int TILE_ROWS = 128;

  private final RowMatrix rows;
  private final boolean normalised;
  private final int numActive;
  private final ComputeBackend backend;
  private final Workers workers;
  private final Arena arena = Arena.ofShared();
  private final long tiles;
  private final long widened;
  private final float[] scores;

  ExactTopClasses(int numActive, SelectionProblem problem) {
    this.rows = problem.weights().matrix();
    this.normalised = problem.normalised();
    this.numActive = Math.min(numActive, rows.numRows());
    this.backend = problem.engine().backend();
    this.workers = problem.engine().workers();
    tiles = NativeMemory.allocate(4L * PANEL * TILE_ROWS * workers.threads(), arena).address();
    long widenedBytes = 4L * rows.stride() * TILE_ROWS * workers.threads();
    widened = NativeMemory.allocate(widenedBytes, arena).address();
    scores = new float[rows.numRows()];
  }

  @Override
  public ActiveClasses select(Embeddings embeddings, int[] targets, long draw) {
    int numTiles = Math.ceilDiv(rows.numRows(), TILE_ROWS);
    workers.run(numTiles, (tile, worker) -> score(tile, worker, embeddings));
    var set = new ClassSet((long) numActive + targets.length).addAll(targets);
    for (int id : best(Math.max(0, numActive - set.size()), set)) {
      set.add(id);
    }
    return ActiveClasses.of(set.sorted(), null, targets);
  }

  @Override
  public boolean readsAllWeights() {
    return true;
  }

  private void score(int tile, int worker, Embeddings embeddings) {
    int from = tile * TILE_ROWS;
    int count = Math.min(TILE_ROWS, rows.numRows() - from);
    int padded = (count + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
    long[] addresses = new long[padded];
    long widened = this.widened + 4L * rows.stride() * TILE_ROWS * worker;
    for (int r = 0; r < padded; r++) {
      long scratch = widened + 4L * rows.stride() * r;
      addresses[r] = rows.read(from + Math.min(r, count - 1), scratch, backend);
    }
    float[] best = new float[padded];
    float[] inPanel = new float[padded];
    Arrays.fill(best, Float.NEGATIVE_INFINITY);
    long logits = tiles + 4L * PANEL * TILE_ROWS * worker;
    for (int panel = 0; panel < embeddings.numPanels(); panel++) {
      backend.logits(addresses, padded, embeddings.panel(panel), embeddings.width(), logits);
      int samples = Math.min(PANEL, embeddings.size() - panel * PANEL);
      backend.rowMax(logits, padded, samples, inPanel);
      for (int r = 0; r < count; r++) {
        best[r] = Math.max(best[r], inPanel[r]);
      }
    }
    for (int r = 0; r < count; r++) {
      float square = normalised ? backend.dot(addresses[r], addresses[r], rows.stride()) : 1f;
      // As in the loss, a weight of zero has cosine 0.
      scores[from + r] = square < Float.MIN_NORMAL ? 0f : (float) (best[r] / Math.sqrt(square));
    }
  }

  /** The {@code count} best scored classes that are not in the set. */
  private int[] best(int count, ClassSet without) {
    long[] ranked = new long[scores.length];
    int size = 0;
    for (int c = 0; c < scores.length; c++) {
      if (!without.contains(c)) {
        ranked[size++] = Ranking.key(scores[c], c);
      }
    }
    int wanted = Math.min(count, size);
    Ranking.selectBest(ranked, size, wanted);
    return Arrays.stream(ranked, 0, wanted).mapToInt(Ranking::id).toArray();
  }

  @Override
  public void close() {
    arena.close();
  }
}
