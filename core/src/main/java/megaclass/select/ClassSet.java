// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.util.Arrays;
import megaclass.internal.Hash;
import megaclass.internal.Permutation;

/** A growing set of class ids, made of a batch's targets and then filled up. One for each batch. */
final class ClassSet {
  private static final int EMPTY = -1;

  private final int[] slots;
  private int[] ids;
  private int size;

  /** With room for {@code capacity} ids. */
  ClassSet(int capacity) {
    slots = new int[Math.max(16, Integer.highestOneBit(Math.max(1, capacity - 1)) << 2)];
    Arrays.fill(slots, EMPTY);
    ids = new int[capacity];
  }

  /** Returns whether the id is new. */
  boolean add(int id) {
    int slot = (int) Hash.mix(id) & (slots.length - 1);
    while (slots[slot] != EMPTY) {
      if (slots[slot] == id) {
        return false;
      }
      slot = (slot + 1) & (slots.length - 1);
    }
    slots[slot] = id;
    if (size == ids.length) {
      ids = Arrays.copyOf(ids, size + size / 2 + 1);
    }
    ids[size++] = id;
    return true;
  }

  boolean contains(int id) {
    int slot = (int) Hash.mix(id) & (slots.length - 1);
    while (slots[slot] != EMPTY && slots[slot] != id) {
      slot = (slot + 1) & (slots.length - 1);
    }
    return slots[slot] == id;
  }

  ClassSet addAll(int[] moreIds) {
    for (int id : moreIds) {
      add(id);
    }
    return this;
  }

  /**
   * Adds uniform draws from the classes that are not in the set, until it holds {@code wanted}.
   * They are the first new ones of a random order of all classes, which costs no work for the rest.
   */
  ClassSet fillUniformly(int wanted, int numClasses, long key) {
    var order = new Permutation(numClasses, key);
    for (long at = 0; size < wanted; at++) {
      add((int) order.at(at));
    }
    return this;
  }

  int size() {
    return size;
  }

  /** The ids in ascending order. */
  int[] sorted() {
    int[] sorted = Arrays.copyOf(ids, size);
    Arrays.sort(sorted);
    return sorted;
  }
}
