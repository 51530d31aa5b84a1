// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.util.Arrays;
import megaclass.internal.Hash;
import megaclass.internal.Permutation;

/**
 * A set of class ids, made of a batch's targets and then filled up. One for each batch.
 *
 * <p>A hash table with open addressing: ids of one slot go to the next ones, which stays short as
 * long as at least a quarter of the slots is empty.
 */
final class ClassSet {
  /** Three quarters of the largest table whose number of slots is a power of two. */
  static final int MAX_CAPACITY = 3 << 28;

  private static final int MAX_SLOTS = 1 << 30;
  private static final int EMPTY = -1;

  private final int[] slots;
  private final int[] ids;
  private int size;

  /**
   * With room for {@code capacity} ids.
   *
   * @throws IllegalArgumentException when that is more than {@link #MAX_CAPACITY}
   */
  ClassSet(long capacity) {
    slots = new int[numSlots(capacity)];
    Arrays.fill(slots, EMPTY);
    ids = new int[(int) capacity];
  }

  /** Slots for so many ids: two to four times as many while arrays can be that long. */
  static int numSlots(long capacity) {
    if (capacity > MAX_CAPACITY) {
      throw new IllegalArgumentException(
          "a selector can list %d active classes, but a batch needs %d; choose fewer, or take all"
              .formatted(MAX_CAPACITY, capacity));
    }
    long wanted = Long.highestOneBit(Math.max(1, capacity - 1)) << 2;
    return Math.clamp(wanted, 16, MAX_SLOTS);
  }

  /** Returns whether the id is new; there must be room for it if it is. */
  boolean add(int id) {
    int slot = (int) Hash.mix(id) & (slots.length - 1);
    while (slots[slot] != EMPTY) {
      if (slots[slot] == id) {
        return false;
      }
      slot = (slot + 1) & (slots.length - 1);
    }
    ids[size++] = id;
    slots[slot] = id;
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
