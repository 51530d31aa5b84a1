// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import static megaclass.compute.ComputeBackend.PANEL;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The ranks of the other items of its class for each item of a class with others, among all other
 * items. Only items that score at least as high as the lowest mate that still matters are looked
 * at: a mate stops to matter when its rank is known to be more than R and more than a limit.
 */
final class MateRanks {
  /** Receives the ranks of one query, from any worker. */
  interface Sink {
    /**
     * Takes the ranks of the mates of a query.
     *
     * @param query its position in {@link #queries}
     * @param ranks (R), ascending, from 1; one above max(R, limit) stands for all such
     */
    void accept(int query, int[] ranks);
  }

  private final EmbeddingSet set;
  private final ClassMembers members;
  private final int limit;
  private final int[] queries;
  private final int[] all;

  MateRanks(EmbeddingSet set, int limit) {
    this.set = set;
    this.limit = limit;
    members = set.members();
    queries =
        Arrays.stream(members.items())
            .filter(item -> members.count(set.classId(item)) > 1)
            .toArray();
    all = IntStream.range(0, set.size()).toArray();
  }

  /** The items that have mates, class by class. */
  int[] queries() {
    return queries;
  }

  void forEach(Sink sink) {
    try (var tiles = new ScoreTiles(set)) {
      set.engine()
          .workers()
          .run(
              Math.ceilDiv(queries.length, PANEL),
              (panel, worker) -> rank(panel, tiles.of(worker), sink));
    }
  }

  /** What is known about one query. */
  private static final class Lane {
    /** Scores of the mates, descending. */
    final float[] mates;

    /** {@code better[m]}: others seen that reach mate m, but not mate m - 1. */
    final int[] better;

    /** Mates from here on no longer matter. */
    int alive;

    int seen;

    Lane(float[] scores) {
      mates = scores;
      Arrays.sort(mates);
      for (int i = 0; i < mates.length / 2; i++) {
        float low = mates[i];
        mates[i] = mates[mates.length - 1 - i];
        mates[mates.length - 1 - i] = low;
      }
      better = new int[mates.length];
      alive = mates.length;
    }

    /** Takes in the score of another item that reaches the last mate alive. */
    void add(float score) {
      int low = 0;
      int high = alive - 1;
      while (low < high) {
        int middle = (low + high) >>> 1;
        if (score >= mates[middle]) {
          high = middle;
        } else {
          low = middle + 1;
        }
      }
      better[low]++;
      seen++;
    }

    /** Lets go of mates whose rank is more than the bound. */
    void prune(int bound) {
      while (alive > 0 && seen + alive > bound) {
        alive--;
        seen -= better[alive];
      }
    }

    int[] ranks(int bound) {
      int[] ranks = new int[mates.length];
      Arrays.fill(ranks, bound + 1);
      int others = 0;
      for (int m = 0; m < alive; m++) {
        others += better[m];
        ranks[m] = m + 1 + others;
      }
      return ranks;
    }
  }

  private void rank(int panel, ScoreTiles.Scratch tile, Sink sink) {
    int from = panel * PANEL;
    int count = Math.min(PANEL, queries.length - from);
    tile.queries(queries, from, count);
    var lanes = lanes(from, count, tile);
    for (int first = 0; first < all.length; first += ScoreTiles.ROWS) {
      int rows = Math.min(ScoreTiles.ROWS, all.length - first);
      for (int lane = 0; lane < PANEL; lane++) {
        boolean matters = lane < count && lanes[lane].alive > 0;
        float least = matters ? lanes[lane].mates[lanes[lane].alive - 1] : Float.POSITIVE_INFINITY;
        tile.least(lane, least);
      }
      tile.score(all, first, rows);
      int found = tile.atLeast(rows);
      for (int h = 0; h < found; h++) {
        int r = tile.hits[h] / PANEL;
        int lane = tile.hits[h] % PANEL;
        if (set.classId(first + r) != set.classId(queries[from + lane])) {
          lanes[lane].add(tile.get(r, lane));
        }
      }
      for (var lane : lanes) {
        lane.prune(bound(lane));
      }
    }
    for (int lane = 0; lane < count; lane++) {
      sink.accept(from + lane, lanes[lane].ranks(bound(lanes[lane])));
    }
  }

  private int bound(Lane lane) {
    return Math.max(limit, lane.mates.length);
  }

  /** The scores of all mates: the classes of a panel stand one after the other. */
  private Lane[] lanes(int from, int count, ScoreTiles.Scratch tile) {
    var scores = new float[count][];
    int[] numbers = new int[count];
    for (int lane = 0; lane < count; lane++) {
      scores[lane] = new float[members.count(set.classId(queries[from + lane])) - 1];
    }
    int firstClass = set.classId(queries[from]);
    int lastClass = set.classId(queries[from + count - 1]);
    int start = members.start(firstClass);
    int end = members.start(lastClass) + members.count(lastClass);
    for (int at = start; at < end; at += ScoreTiles.ROWS) {
      int rows = Math.min(ScoreTiles.ROWS, end - at);
      tile.score(members.items(), at, rows);
      for (int r = 0; r < rows; r++) {
        int item = members.items()[at + r];
        for (int lane = 0; lane < count; lane++) {
          int query = queries[from + lane];
          if (item != query && set.classId(item) == set.classId(query)) {
            scores[lane][numbers[lane]++] = tile.get(r, lane);
          }
        }
      }
    }
    return Arrays.stream(scores).map(Lane::new).toArray(Lane[]::new);
  }
}
