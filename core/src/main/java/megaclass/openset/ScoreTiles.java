// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static megaclass.compute.ComputeBackend.PANEL;
import static megaclass.compute.ComputeBackend.ROW_BLOCK;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;

/**
 * Scores items of a set against each other in tiles of up to 128 items by 64 queries. All scores of
 * this package that may tie come from here, so that equal embeddings have equal scores.
 *
 * <p>Each worker uses its own {@link Scratch}; different ones may work at once.
 */
final class ScoreTiles implements AutoCloseable {
  /** Items of a tile. */
  static final int ROWS = 128;

  private final EmbeddingSet set;
  private final ComputeBackend backend;
  private final Arena arena = Arena.ofShared();
  private final Scratch[] scratch;

  ScoreTiles(EmbeddingSet set) {
    this.set = set;
    this.backend = set.engine().backend();
    scratch = new Scratch[set.engine().workers().threads()];
    Arrays.setAll(scratch, _ -> new Scratch());
  }

  /** The tile of a worker. */
  Scratch of(int worker) {
    return scratch[worker];
  }

  @Override
  public void close() {
    arena.close();
  }

  /** Memory of one worker, and the tile that was computed last. */
  final class Scratch {
    /** Row times 64 plus lane of what {@link #atLeast} found. */
    final int[] hits = new int[ROWS * PANEL];

    private final long[] rows = new long[ROWS];
    private final float[] scores = new float[ROWS * PANEL];
    private final MemorySegment panel = NativeMemory.allocate(4L * PANEL * set.stride(), arena);
    private final MemorySegment tile = NativeMemory.allocate(4L * PANEL * ROWS, arena);
    private final MemorySegment below = NativeMemory.allocate(4L * PANEL, arena);

    /** Takes queries[from, from + count), at most 64, as the columns of the next tiles. */
    void queries(int[] queries, int from, int count) {
      for (int lane = 0; lane < PANEL; lane++) {
        for (int j = 0; j < set.stride(); j++) {
          float value = lane < count ? set.value(queries[from + lane], j) : 0;
          panel.set(JAVA_FLOAT_UNALIGNED, 4L * (j * PANEL + lane), value);
        }
      }
    }

    /** Scores items[from, from + count), at most 128, with the queries. */
    void score(int[] items, int from, int count) {
      int padded = (count + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
      for (int r = 0; r < padded; r++) {
        rows[r] = set.row(items[from + Math.min(r, count - 1)]);
      }
      backend.logits(rows, padded, panel.address(), set.dim(), tile.address());
      MemorySegment.copy(tile, JAVA_FLOAT_UNALIGNED, 0, scores, 0, count * PANEL);
    }

    /** The score of row {@code r} of the tile with a query. */
    float get(int r, int lane) {
      return scores[r * PANEL + lane];
    }

    /** The tile, (rows, 64), for loops over all of it. */
    float[] scores() {
      return scores;
    }

    /** What {@link #atLeast} looks for in a column: scores of at least {@code score}. */
    void least(int lane, float score) {
      below.set(JAVA_FLOAT_UNALIGNED, 4L * lane, Math.nextDown(score));
    }

    /** Puts the entries of the tile that reach {@link #least} into {@link #hits}; how many. */
    int atLeast(int count) {
      int padded = (count + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
      int found = backend.above(tile.address(), padded, below.address(), hits);
      while (found > 0 && hits[found - 1] >= count * PANEL) {
        found--; // rows of the padding stand last
      }
      return found;
    }
  }
}
