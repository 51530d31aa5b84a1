// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.lang.foreign.Arena;
import java.util.Arrays;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.internal.Ranking;

/**
 * Cuts a batch in groups of similar samples, which look for the same classes: in two by k-means
 * with two centres and halves of given sizes, and again until there are enough groups, whose sizes
 * differ by at most one. It asks the embeddings alone, so it works for every selector.
 */
final class SampleGroups {
  /** The first cut goes through clouds that lie off its direction; a few rounds gather them. */
  private static final int ROUNDS = 4;

  private final Embeddings batch;
  private final long direction;
  private final ComputeBackend backend;
  private final int[] order;
  private final int[][] groups;

  private SampleGroups(Embeddings batch, long direction, int numGroups, ComputeBackend backend) {
    this.direction = direction;
    this.batch = batch;
    this.backend = backend;
    order = new int[batch.size()];
    Arrays.setAll(order, i -> i);
    groups = new int[numGroups][];
  }

  /**
   * Cuts.
   *
   * @param batch packed, (batch, dim)
   * @param numGroups in [1, batch]
   * @return the numbers of the samples of each group, ascending
   */
  static int[][] cut(Embeddings batch, int numGroups, ComputeBackend backend) {
    try (var arena = Arena.ofConfined()) {
      long direction = NativeMemory.allocate(4L * batch.stride(), arena).address();
      var made = new SampleGroups(batch, direction, numGroups, backend);
      made.cut(0, batch.size(), 0, numGroups);
      return made.groups;
    }
  }

  /** Makes groups [firstGroup, endGroup) of the samples at [from, to) of the order. */
  private void cut(int from, int to, int firstGroup, int endGroup) {
    if (endGroup - firstGroup == 1) {
      groups[firstGroup] = Arrays.copyOfRange(order, from, to);
      Arrays.sort(groups[firstGroup]);
      return;
    }
    int midGroup = (firstGroup + endGroup) / 2;
    int mid = from + (int) ((long) (to - from) * (midGroup - firstGroup) / (endGroup - firstGroup));
    int one = farthest(order[from], from, to);
    int other = farthest(one, from, to);
    backend.scaled(batch.row(one), 1f, batch.stride(), direction);
    backend.addScaled(batch.row(other), -1f, batch.stride(), direction);
    sortAlongDirection(from, to);
    for (int round = 0; round < ROUNDS; round++) {
      backend.scaled(direction, 0f, batch.stride(), direction);
      addSum(to - mid, from, mid); // the difference of the means, but for a common factor
      addSum(from - mid, mid, to);
      sortAlongDirection(from, to);
    }
    cut(from, mid, firstGroup, midGroup);
    cut(mid, to, midGroup, endGroup);
  }

  private void addSum(float factor, int from, int to) {
    for (int i = from; i < to; i++) {
      backend.addScaled(batch.row(order[i]), factor, batch.stride(), direction);
    }
  }

  private void sortAlongDirection(int from, int to) {
    long[] ranked = new long[to - from];
    for (int i = from; i < to; i++) {
      float along = backend.dot(batch.row(order[i]), direction, batch.stride());
      ranked[i - from] = Ranking.key(along, order[i]);
    }
    Arrays.sort(ranked);
    for (int i = from; i < to; i++) {
      order[i] = Ranking.id(ranked[i - from]);
    }
  }

  /** The sample with the least inner product, the first of them. */
  private int farthest(int sample, int from, int to) {
    int found = order[from];
    float least = Float.POSITIVE_INFINITY;
    for (int i = from; i < to; i++) {
      float product = backend.dot(batch.row(sample), batch.row(order[i]), batch.stride());
      if (product < least) {
        least = product;
        found = order[i];
      }
    }
    return found;
  }
}
