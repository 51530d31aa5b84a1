// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.Arrays;

/** Some items of a set, gathered by class; within a class they keep their order. */
final class ClassMembers {
  private final int[] starts;
  private final int[] items;

  /**
   * Gathers.
   *
   * @param chosen the items
   * @param classIds of all items of the set
   */
  ClassMembers(int[] chosen, int[] classIds) {
    int numClasses = Arrays.stream(classIds).max().orElse(-1) + 1;
    starts = new int[numClasses + 1];
    for (int item : chosen) {
      starts[classIds[item] + 1]++;
    }
    Arrays.parallelPrefix(starts, Integer::sum);
    items = new int[chosen.length];
    int[] next = starts.clone();
    for (int item : chosen) {
      items[next[classIds[item]]++] = item;
    }
  }

  /** How many class ids there may be; classes may be empty. */
  int numClasses() {
    return starts.length - 1;
  }

  /** How many items a class has. */
  int count(int classId) {
    return starts[classId + 1] - starts[classId];
  }

  /** Where the items of a class start in {@link #items}. */
  int start(int classId) {
    return starts[classId];
  }

  /** An item of a class. */
  int item(int classId, int i) {
    return items[starts[classId] + i];
  }

  /** All items, class by class. */
  int[] items() {
    return items;
  }

  /** The classes that have at least so many items, ascending. */
  int[] classesWith(int atLeast) {
    int[] found = new int[numClasses()];
    int n = 0;
    for (int c = 0; c < numClasses(); c++) {
      if (count(c) >= atLeast) {
        found[n++] = c;
      }
    }
    return Arrays.copyOf(found, n);
  }
}
