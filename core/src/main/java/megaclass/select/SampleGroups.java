// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.util.Arrays;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;
import megaclass.internal.Ranking;

/**
 * Cuts a batch in groups of similar samples, which look for the same classes: in two along the
 * difference of two samples that are far apart, and again until there are enough groups. Sizes
 * differ by at most one. It asks the embeddings alone, so it works for every selector.
 */
final class SampleGroups {
  private final Embeddings batch;
  private final ComputeBackend backend;
  private final int[] order;
  private final int[][] groups;

  private SampleGroups(Embeddings batch, int numGroups, ComputeBackend backend) {
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
    var made = new SampleGroups(batch, numGroups, backend);
    made.cut(0, made.order.length, 0, numGroups);
    return made.groups;
  }

  /** Makes groups [firstGroup, endGroup) of the samples at [from, to) of the order. */
  private void cut(int from, int to, int firstGroup, int endGroup) {
    if (endGroup - firstGroup == 1) {
      groups[firstGroup] = Arrays.copyOfRange(order, from, to);
      Arrays.sort(groups[firstGroup]);
      return;
    }
    sortAlongLargestDifference(from, to);
    int midGroup = (firstGroup + endGroup) / 2;
    int mid = from + (int) ((long) (to - from) * (midGroup - firstGroup) / (endGroup - firstGroup));
    cut(from, mid, firstGroup, midGroup);
    cut(mid, to, midGroup, endGroup);
  }

  private void sortAlongLargestDifference(int from, int to) {
    int one = farthest(order[from], from, to);
    int other = farthest(one, from, to);
    long[] ranked = new long[to - from];
    for (int i = from; i < to; i++) {
      float along = product(one, order[i]) - product(other, order[i]);
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
      float product = product(sample, order[i]);
      if (product < least) {
        least = product;
        found = order[i];
      }
    }
    return found;
  }

  private float product(int a, int b) {
    return backend.dot(batch.row(a), batch.row(b), batch.stride());
  }
}
