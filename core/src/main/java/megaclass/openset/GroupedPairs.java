// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import megaclass.compute.Engine;
import megaclass.internal.Hash;

/**
 * Bootstrap of a curve over classes. A pair stands for both of its classes, so a draw weighs it
 * with the product of how often the two were drawn; since all pairs cannot be weighed anew in each
 * draw, classes are dealt at random into up to 100 groups of equally many, groups are drawn, and
 * pairs are counted by their two groups and a cell of neighbouring scores.
 */
final class GroupedPairs {
  private static final int MAX_GROUPS = 100;

  private final Bootstrap bootstrap;
  private final int[] groupOfClass;
  private final int numGroups;
  private final short[] cellOfBin;
  private final int numCells;
  private final long[] same;
  private final long[] different;

  /**
   * Empty counts.
   *
   * @param lastBins the lowest bin of each cell, descending
   */
  GroupedPairs(EmbeddingSet set, Bootstrap bootstrap, int[] lastBins) {
    this.bootstrap = bootstrap;
    int[] classes = Arrays.stream(set.classIds()).distinct().sorted().toArray();
    numGroups = Math.min(MAX_GROUPS, classes.length);
    groupOfClass = groups(classes, numGroups, bootstrap.seed());
    numCells = lastBins.length;
    cellOfBin = new short[ScoreCounts.BINS];
    int bin = ScoreCounts.BINS;
    for (int cell = 0; cell < numCells; cell++) {
      Arrays.fill(cellOfBin, lastBins[cell], bin, (short) cell);
      bin = lastBins[cell];
    }
    int counts = numGroups * (numGroups + 1) / 2 * numCells;
    same = new long[counts];
    different = new long[counts];
  }

  private GroupedPairs(GroupedPairs like) {
    bootstrap = like.bootstrap;
    groupOfClass = like.groupOfClass;
    numGroups = like.numGroups;
    cellOfBin = like.cellOfBin;
    numCells = like.numCells;
    same = new long[like.same.length];
    different = new long[like.different.length];
  }

  /** Deals classes out like cards that were shuffled by the seed. */
  private static int[] groups(int[] classes, int numGroups, long seed) {
    int[] group = new int[classes.length == 0 ? 0 : classes[classes.length - 1] + 1];
    var shuffled =
        Arrays.stream(classes)
            .boxed()
            .sorted(Comparator.comparingLong((Integer c) -> Hash.key(~seed, c)))
            .toList();
    for (int i = 0; i < shuffled.size(); i++) {
      group[shuffled.get(i)] = i % numGroups;
    }
    return group;
  }

  /** Empty counts of the same groups and cells, for another worker. */
  GroupedPairs another() {
    return new GroupedPairs(this);
  }

  void add(PairScores.Chunk chunk, EmbeddingSet set) {
    for (int p = 0; p < chunk.size; p++) {
      int g = groupOfClass[set.classId(chunk.first[p])];
      int h = groupOfClass[set.classId(chunk.second[p])];
      int at = index(g, h) * numCells + cellOfBin[ScoreCounts.bin(chunk.scores[p])];
      if (chunk.same[p]) {
        same[at]++;
      } else {
        different[at]++;
      }
    }
  }

  private static int index(int g, int h) {
    int high = Math.max(g, h);
    return high * (high + 1) / 2 + Math.min(g, h);
  }

  void addAll(GroupedPairs more) {
    for (int i = 0; i < same.length; i++) {
      same[i] += more.same[i];
      different[i] += more.different[i];
    }
  }

  /**
   * Values of the curve in all draws, (metrics, replicates); none when there is but one class.
   *
   * @param metrics of a curve
   */
  double[][] replicates(List<ToDoubleFunction<Roc>> metrics, Engine engine) {
    int replicates = numGroups < 2 ? 0 : bootstrap.replicates();
    double[][] found = new double[metrics.size()][replicates];
    BitSet used = used();
    engine
        .workers()
        .run(
            replicates,
            (replicate, _) -> {
              Roc roc = drawn(replicate, used);
              for (int m = 0; m < metrics.size(); m++) {
                found[m][replicate] = metrics.get(m).applyAsDouble(roc);
              }
            });
    return found;
  }

  /** Pairs of groups that have pairs: those of a short list are few. */
  private BitSet used() {
    var used = new BitSet();
    for (int i = 0; i < same.length; i++) {
      if (same[i] + different[i] > 0) {
        used.set(i / numCells);
      }
    }
    return used;
  }

  private Roc drawn(int replicate, BitSet used) {
    int[] times = new int[numGroups];
    bootstrap.draw(replicate, times);
    double[] sameSums = new double[numCells];
    double[] differentSums = new double[numCells];
    for (int high = 0; high < numGroups; high++) {
      for (int low = 0; low <= high; low++) {
        // Pairs within a group come as often as it does: its classes are one draw.
        double weight = low == high ? times[high] : (double) times[low] * times[high];
        int at = index(low, high);
        if (weight > 0 && used.get(at)) {
          for (int cell = 0; cell < numCells; cell++) {
            sameSums[cell] += weight * same[at * numCells + cell];
            differentSums[cell] += weight * different[at * numCells + cell];
          }
        }
      }
    }
    return new Roc(new double[numCells], sameSums, differentSums);
  }
}
