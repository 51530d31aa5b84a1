// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import static megaclass.compute.ComputeBackend.PANEL;

import java.util.Arrays;

/** Streams the scores of pairs, in chunks, to all workers at once. */
final class PairScores implements AutoCloseable {
  /** Some pairs with their scores. */
  static final class Chunk {
    int size;
    final int[] first = new int[ScoreTiles.ROWS * PANEL];
    final int[] second = new int[ScoreTiles.ROWS * PANEL];
    final boolean[] same = new boolean[ScoreTiles.ROWS * PANEL];
    final float[] scores = new float[ScoreTiles.ROWS * PANEL];

    private void add(int a, int b, boolean isSame, float score) {
      first[size] = a;
      second[size] = b;
      same[size] = isSame;
      scores[size++] = score;
    }

    /** The pairs of an item with the later ones of a panel: the loop that takes the time. */
    private void addRow(int a, int from, int lanes, int[] classIds, float[] tile, int row) {
      int at = size;
      int classId = classIds[a];
      for (int lane = Math.max(0, a + 1 - from); lane < lanes; lane++) {
        first[at] = a;
        second[at] = from + lane;
        same[at] = classId == classIds[from + lane];
        scores[at] = tile[row + lane];
        at++;
      }
      size = at;
    }
  }

  /** Takes in the pairs of one worker; which worker gets which is not repeatable. */
  interface Sink {
    /** Looks at a chunk, which is overwritten afterwards. */
    void accept(int worker, Chunk chunk);
  }

  private final EmbeddingSet set;
  private final Pairs pairs;
  private final ScoreTiles tiles;
  private final Chunk[] chunks;
  private final int[] items;
  private final int[] classIds;

  PairScores(EmbeddingSet set, Pairs pairs) {
    this.set = set;
    this.pairs = pairs;
    tiles = new ScoreTiles(set);
    chunks = new Chunk[set.engine().workers().threads()];
    Arrays.setAll(chunks, _ -> new Chunk());
    classIds = set.classIds();
    items = new int[set.size()];
    Arrays.setAll(items, i -> i);
  }

  /** Gives every pair to the sink once. */
  void forEach(Sink sink) {
    switch (pairs) {
      case Pairs.All _ -> forAll(sink);
      case Pairs.Listed listed -> forListed(listed, sink);
    }
  }

  private void forListed(Pairs.Listed listed, Sink sink) {
    int perTask = ScoreTiles.ROWS * PANEL;
    set.engine()
        .workers()
        .run(
            Math.ceilDiv(listed.size(), perTask),
            (task, worker) -> {
              var chunk = chunks[worker];
              chunk.size = 0;
              int to = Math.min(listed.size(), (task + 1) * perTask);
              for (int p = task * perTask; p < to; p++) {
                var pair = listed.pair(p);
                float score = set.score(pair.first(), pair.second());
                chunk.add(pair.first(), pair.second(), pair.same(), score);
              }
              sink.accept(worker, chunk);
            });
  }

  private void forAll(Sink sink) {
    int numPanels = Math.ceilDiv(set.size(), PANEL);
    // The last panel has the most partners: long tasks first leave no thread waiting at the end.
    set.engine()
        .workers()
        .run(numPanels, (task, worker) -> forPanel(numPanels - 1 - task, worker, sink));
  }

  /** The pairs of the items of a panel, each with all items before it. */
  private void forPanel(int panel, int worker, Sink sink) {
    int from = panel * PANEL;
    int lanes = Math.min(PANEL, set.size() - from);
    var tile = tiles.of(worker);
    var chunk = chunks[worker];
    tile.queries(items, from, lanes);
    for (int first = 0; first < from + lanes - 1; first += ScoreTiles.ROWS) {
      int count = Math.min(ScoreTiles.ROWS, from + lanes - 1 - first);
      tile.score(items, first, count);
      chunk.size = 0;
      for (int r = 0; r < count; r++) {
        chunk.addRow(first + r, from, lanes, classIds, tile.scores(), r * PANEL);
      }
      sink.accept(worker, chunk);
    }
  }

  @Override
  public void close() {
    tiles.close();
  }
}
