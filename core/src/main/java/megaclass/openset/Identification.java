// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import static megaclass.compute.ComputeBackend.PANEL;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import megaclass.internal.Hash;

/**
 * How well a probe finds its mate among distractors, more and more of them (the MegaFace protocol).
 *
 * <p>A trial is a probe and one mate of its class. Its gallery holds that mate and, of the first
 * {@code distractors} distractors in a fixed random order, those of other classes. The rank of the
 * mate is 1 plus the number of distractors that score at least as high.
 *
 * @param trials probe and mate pairs
 * @param sizes one for each number of distractors, ascending
 */
public record Identification(long trials, List<Size> sizes) {
  /** Ranks of the curve. */
  private static final int MAX_RANK = 100;

  private static final List<Integer> RANKS = List.of(1, 5, 10);

  /** Distractors of the smallest gallery. */
  private static final int FEWEST = 10;

  /**
   * What a number of distractors gives.
   *
   * @param ranks at ranks 1, 5 and 10
   * @param curve the cumulative match characteristic, (100): entry r - 1 is the share of trials
   *     whose mate has at most rank r
   */
  public record Size(int distractors, List<RankRate> ranks, List<Double> curve) {}

  /** The share of trials whose mate has at most this rank. */
  public record RankRate(int rank, Estimate rate) {}

  /** What is looked for in what. */
  private static final class Problem {
    /** The probe of each trial, (trials). */
    final int[] probes;

    /** The mate of each trial, of the same class, (trials). */
    final int[] mates;

    /** In the order in which they are added. */
    final int[] distractors;

    Problem(int[] probes, int[] mates, int[] distractors) {
      this.probes = probes;
      this.mates = mates;
      this.distractors = distractors;
    }

    /**
     * Every item of a class with others is a probe, one of these, drawn, its mate, and all items
     * are distractors.
     */
    static Problem ofAll(EmbeddingSet set, long seed) {
      var members = set.members();
      int[] probes =
          IntStream.range(0, set.size()).filter(i -> members.count(set.classId(i)) > 1).toArray();
      int[] mates = new int[probes.length];
      for (int t = 0; t < probes.length; t++) {
        int classId = set.classId(probes[t]);
        int last = members.count(classId) - 1;
        int drawn = Hash.below(last, Hash.key(seed, probes[t], 1));
        int mate = members.item(classId, drawn);
        mates[t] = mate == probes[t] ? members.item(classId, last) : mate;
      }
      return new Problem(probes, mates, shuffled(IntStream.range(0, set.size()).toArray(), seed));
    }

    /** Each probe with each gallery item of its class; all of the gallery are distractors. */
    static Problem of(EmbeddingSet set, int[] probes, int[] gallery, long seed) {
      var members = new ClassMembers(gallery, set.classIds());
      var trialProbes = new ArrayList<Integer>();
      var mates = new ArrayList<Integer>();
      for (int probe : probes) {
        for (int i = 0; i < members.count(set.classId(probe)); i++) {
          int mate = members.item(set.classId(probe), i);
          if (mate != probe) {
            trialProbes.add(probe);
            mates.add(mate);
          }
        }
      }
      return new Problem(
          trialProbes.stream().mapToInt(Integer::intValue).toArray(),
          mates.stream().mapToInt(Integer::intValue).toArray(),
          shuffled(gallery, seed));
    }

    private static int[] shuffled(int[] items, long seed) {
      int[] shuffled = items.clone();
      for (int i = shuffled.length - 1; i > 0; i--) {
        int other = Hash.below(i + 1, Hash.key(seed, i, 2));
        int item = shuffled[i];
        shuffled[i] = shuffled[other];
        shuffled[other] = item;
      }
      return shuffled;
    }
  }

  /**
   * Identifies every item that has others of its class: one of them, drawn, is the mate, all items
   * of other classes are distractors, in a drawn order.
   *
   * @param maxDistractors the most distractors; all when there are fewer
   * @param bootstrap whose seed also draws mates and order
   * @throws IllegalArgumentException when no class has two items
   */
  public static Identification of(EmbeddingSet set, int maxDistractors, Bootstrap bootstrap) {
    return of(set, Problem.ofAll(set, bootstrap.seed()), maxDistractors, bootstrap);
  }

  /**
   * Identifies probes in a gallery: each with each gallery item of its class as mate, the gallery
   * items of other classes as distractors, in an order drawn by the seed of the bootstrap.
   *
   * @param probes items
   * @param gallery items
   * @param maxDistractors the most distractors; all when there are fewer
   * @throws IllegalArgumentException when no probe has a mate
   */
  public static Identification of(
      EmbeddingSet set, int[] probes, int[] gallery, int maxDistractors, Bootstrap bootstrap) {
    return of(set, Problem.of(set, probes, gallery, bootstrap.seed()), maxDistractors, bootstrap);
  }

  private static Identification of(
      EmbeddingSet set, Problem problem, int maxDistractors, Bootstrap bootstrap) {
    if (problem.probes.length == 0) {
      throw new IllegalArgumentException(
          "identification takes a probe with another example of its class in the gallery, but"
              + " there is none");
    }
    int[] sizes = sizes(Math.min(maxDistractors, problem.distractors.length));
    int[][] ranks = ranks(set, problem, sizes);
    int[] classIds = Arrays.stream(problem.probes).map(set::classId).toArray();
    var found = new ArrayList<Size>();
    for (int s = 0; s < sizes.length; s++) {
      int[] ranksHere = ranks[s];
      double[][] hits = new double[RANKS.size()][ranksHere.length];
      for (int r = 0; r < hits.length; r++) {
        int most = RANKS.get(r);
        Arrays.setAll(hits[r], t -> ranksHere[t] <= most ? 1 : 0);
      }
      var rates = bootstrap.means(classIds, hits, set.engine());
      var rankRates =
          IntStream.range(0, rates.length).mapToObj(r -> new RankRate(RANKS.get(r), rates[r]));
      found.add(new Size(sizes[s], rankRates.toList(), curve(ranksHere)));
    }
    return new Identification(problem.probes.length, List.copyOf(found));
  }

  /** 10, 100, 1000, ... and the most. */
  private static int[] sizes(int most) {
    var sizes = new ArrayList<Integer>();
    for (long size = FEWEST; size < most; size *= 10) {
      sizes.add((int) size);
    }
    sizes.add(most);
    return sizes.stream().mapToInt(Integer::intValue).toArray();
  }

  private static List<Double> curve(int[] ranks) {
    double[] shares = new double[MAX_RANK];
    for (int rank : ranks) {
      if (rank <= MAX_RANK) {
        shares[rank - 1] += 1.0 / ranks.length;
      }
    }
    Arrays.parallelPrefix(shares, Double::sum);
    return Arrays.stream(shares).boxed().toList();
  }

  /** The rank of the mate in each trial at each number of distractors, (sizes, trials). */
  private static int[][] ranks(EmbeddingSet set, Problem problem, int[] sizes) {
    int numTrials = problem.probes.length;
    int[][] better = new int[sizes.length][numTrials];
    try (var tiles = new ScoreTiles(set)) {
      set.engine()
          .workers()
          .run(
              Math.ceilDiv(numTrials, PANEL),
              (panel, worker) -> countBetter(set, problem, sizes, panel, tiles.of(worker), better));
    }
    for (int t = 0; t < numTrials; t++) {
      int rank = 1;
      for (int s = 0; s < sizes.length; s++) {
        rank += better[s][t];
        better[s][t] = rank;
      }
    }
    return better;
  }

  /** Counts the distractors from one number to the next that reach the mates of some trials. */
  private static void countBetter(
      EmbeddingSet set,
      Problem problem,
      int[] sizes,
      int panel,
      ScoreTiles.Scratch tile,
      int[][] better) {
    int from = panel * PANEL;
    int lanes = Math.min(PANEL, problem.probes.length - from);
    tile.queries(problem.probes, from, lanes);
    tile.score(problem.mates, from, lanes);
    for (int lane = 0; lane < PANEL; lane++) {
      tile.least(lane, lane < lanes ? tile.get(lane, lane) : Float.POSITIVE_INFINITY);
    }
    int first = 0;
    for (int s = 0; s < sizes.length; s++) {
      while (first < sizes[s]) {
        int count = Math.min(ScoreTiles.ROWS, sizes[s] - first);
        tile.score(problem.distractors, first, count);
        int found = tile.atLeast(count);
        for (int h = 0; h < found; h++) {
          int trial = from + tile.hits[h] % PANEL;
          int distractor = problem.distractors[first + tile.hits[h] / PANEL];
          if (set.classId(distractor) != set.classId(problem.probes[trial])) {
            better[s][trial]++;
          }
        }
        first += count;
      }
    }
  }
}
