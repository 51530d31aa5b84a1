// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A directory of a cache, and a cache of numbers that is moved as it says. */
class RowSlotsTest {
  private static final int NUM_ROWS = 100;
  private static final int NUM_SLOTS = 20;

  private final RowSlots slots = new RowSlots(NUM_ROWS, NUM_SLOTS);
  private final int[] below = new int[NUM_ROWS];
  private final Map<Integer, Integer> cache = new HashMap<>();
  private int loaded;

  private final RowSlots.Mover mover =
      new RowSlots.Mover() {
        @Override
        public void evict(int[] leaving) {
          for (long taken : slots.takeChanged(leaving)) {
            below[(int) (taken >>> 32)] = cache.getOrDefault((int) taken, -1);
          }
          for (int slot : leaving) {
            cache.remove(slot);
          }
        }

        @Override
        public void load(int[] rows, int[] into) {
          loaded += rows.length;
          for (int i = 0; i < rows.length; i++) {
            assertTrue(i == 0 || rows[i - 1] < rows[i], "ascending");
            cache.put(into[i], below[rows[i]]);
          }
        }
      };

  @AfterEach
  void close() {
    slots.close();
  }

  private void fetch(int... rows) {
    slots.fetch(rows.length, i -> rows[i], mover);
  }

  private void visit(int... rows) {
    slots.visit(rows.length, i -> rows[i], mover);
  }

  private static int[] range(int from, int to) {
    return IntStream.range(from, to).toArray();
  }

  private int value(int row) {
    return cache.getOrDefault(slots.slot(row), -1);
  }

  @Test
  void whatWasChangedIsFoundAgainWhereverTheRowLies() {
    int[] expected = new int[NUM_ROWS];
    var random = new SplittableRandom(4);
    for (int round = 1; round < 300; round++) {
      int size = random.nextInt(1, NUM_SLOTS + 1);
      int[] rows = random.ints(0, NUM_ROWS).distinct().limit(size).toArray();
      boolean change = random.nextBoolean();
      if (change) {
        fetch(rows);
      } else {
        visit(rows);
      }
      for (int row : rows) {
        assertEquals(row, slots.row(slots.slot(row)));
        assertEquals(expected[row], value(row), "row " + row + " in round " + round);
        if (change) {
          cache.put(slots.slot(row), round);
          slots.change(slots.slot(row));
          expected[row] = round;
        }
      }
    }
    mover.evict(range(0, NUM_SLOTS));
    assertArrayEquals(expected, below);
  }

  /**
   * A pass over all rows, as of an index that is repaired, leaves the rows in use where they are.
   */
  @Test
  void visitedRowsMakeRoomFirst() {
    fetch(range(0, 10));
    for (int from = 10; from < NUM_ROWS; from += 10) {
      visit(range(from, from + 10));
    }
    loaded = 0;
    fetch(range(0, 10));
    assertEquals(0, loaded);
  }

  @Test
  void rowsThatWereNotUsedForLongMakeRoomBeforeOthers() {
    fetch(range(0, 20));
    fetch(20); // the hand goes round once and takes the first
    assertEquals(-1, slots.slot(0));
    fetch(range(1, 10));
    fetch(range(21, 31));
    assertTrue(IntStream.range(1, 10).allMatch(row -> slots.slot(row) >= 0));
    assertFalse(IntStream.range(10, 20).anyMatch(row -> slots.slot(row) >= 0));
  }

  @Test
  void allIsForgottenWhenItIsCleared() {
    fetch(range(0, 20));
    slots.change(3);
    slots.clear();
    assertEquals(-1, slots.slot(7));
    assertEquals(0, slots.takeChanged(range(0, NUM_SLOTS)).length);
  }

  @Test
  void moreRowsThanSlotsAreRefused() {
    assertEquals(
        "a step uses 21 class weights, but memory for them holds 20; give it more, or take fewer"
            + " active classes",
        String.valueOf(
            assertThrows(IllegalArgumentException.class, () -> fetch(range(0, 21))).getMessage()));
  }
}
