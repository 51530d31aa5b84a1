// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.util.Arrays;

/**
 * Branches that a search may follow yet, the nearest first: a binary heap. Ties go to the smaller
 * tree, then to the smaller reference, so that the order is one. It becomes a heap when the first
 * branch is taken; a search that needs no branch pays for no order.
 */
final class BranchQueue {
  /** The subtree at a reference, and by how much the embedding missed it. */
  record Branch(float squaredDistance, int tree, int reference) {}

  private float[] distances = new float[256];
  private long[] places = new long[256];
  private int size;
  private boolean ordered;

  void clear() {
    size = 0;
    ordered = false;
  }

  boolean isEmpty() {
    return size == 0;
  }

  void add(float distance, int tree, int reference) {
    if (size == places.length) {
      distances = Arrays.copyOf(distances, 2 * size);
      places = Arrays.copyOf(places, 2 * size);
    }
    distances[size] = distance;
    places[size] = (long) tree << 32 | (reference & 0xFFFFFFFFL);
    size++;
    if (ordered) {
      rise(size - 1);
    }
  }

  Branch takeNearest() {
    if (!ordered) {
      for (int i = size / 2 - 1; i >= 0; i--) {
        sink(i);
      }
      ordered = true;
    }
    var nearest = new Branch(distances[0], (int) (places[0] >> 32), (int) places[0]);
    size--;
    swap(0, size);
    sink(0);
    return nearest;
  }

  private void rise(int from) {
    for (int i = from; i > 0 && isBefore(i, (i - 1) / 2); i = (i - 1) / 2) {
      swap(i, (i - 1) / 2);
    }
  }

  private void sink(int from) {
    int i = from;
    while (2 * i + 1 < size) {
      int child = 2 * i + 1;
      if (child + 1 < size && isBefore(child + 1, child)) {
        child++;
      }
      if (!isBefore(child, i)) {
        return;
      }
      swap(i, child);
      i = child;
    }
  }

  /** A distance that is not a number comes last. */
  private boolean isBefore(int i, int j) {
    int order = Float.compare(distances[i], distances[j]);
    return order < 0 || (order == 0 && places[i] < places[j]);
  }

  private void swap(int i, int j) {
    float distance = distances[i];
    distances[i] = distances[j];
    distances[j] = distance;
    long place = places[i];
    places[i] = places[j];
    places[j] = place;
  }
}
