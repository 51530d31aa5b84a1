// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.util.Arrays;
import megaclass.internal.Hash;

/**
 * Probability by class, added up class by class: an open hash table that is used again and again.
 */
final class MassTable {
  private static final int EMPTY = -1;

  private int[] slots = new int[64];
  private int[] classIds = new int[16];
  private float[] masses = new float[16];
  private int size;

  MassTable() {
    Arrays.fill(slots, EMPTY);
  }

  void clear() {
    Arrays.fill(slots, EMPTY);
    size = 0;
  }

  void add(int classId, float mass) {
    int slot = slotOf(classId);
    if (slots[slot] == EMPTY) {
      if (size == classIds.length) {
        grow();
        slot = slotOf(classId);
      }
      slots[slot] = size;
      classIds[size] = classId;
      masses[size++] = mass;
    } else {
      masses[slots[slot]] += mass;
    }
  }

  private int slotOf(int classId) {
    int slot = (int) Hash.mix(classId) & (slots.length - 1);
    while (slots[slot] != EMPTY && classIds[slots[slot]] != classId) {
      slot = (slot + 1) & (slots.length - 1);
    }
    return slot;
  }

  private void grow() {
    classIds = Arrays.copyOf(classIds, 2 * size);
    masses = Arrays.copyOf(masses, 2 * size);
    slots = new int[2 * slots.length];
    Arrays.fill(slots, EMPTY);
    for (int i = 0; i < size; i++) {
      slots[slotOf(classIds[i])] = i;
    }
  }

  /** Number of classes. */
  int size() {
    return size;
  }

  /** A class, in the order in which they came. */
  int classId(int i) {
    return classIds[i];
  }

  /** Sum of what was added to that class. */
  float mass(int i) {
    return masses[i];
  }
}
