// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sets of class ids, also of such numbers of classes as an int only just holds. */
class ClassSetTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 16, 17, 1000})
  void itHoldsWhatATreeWouldHoldUpToItsLastPlace(int capacity) {
    var random = new SplittableRandom(capacity);
    var set = new ClassSet(capacity);
    var expected = new TreeSet<Integer>();
    while (expected.size() < capacity) {
      int id = random.nextInt(2 * capacity);
      assertEquals(expected.contains(id), set.contains(id));
      assertEquals(expected.add(id), set.add(id));
      assertEquals(expected.size(), set.size());
    }
    assertArrayEquals(expected.stream().mapToInt(id -> id).toArray(), set.sorted());
  }

  @Test
  void idsUpToTheLargestIntAreKeptApart() {
    var set = new ClassSet(4);
    for (int id : new int[] {Integer.MAX_VALUE, 1 << 30, Integer.MAX_VALUE - 1, 0}) {
      assertFalse(set.contains(id));
      assertTrue(set.add(id));
      assertFalse(set.add(id));
    }
    assertArrayEquals(
        new int[] {0, 1 << 30, Integer.MAX_VALUE - 1, Integer.MAX_VALUE}, set.sorted());
  }

  @Test
  void drawsFromTwoBillionClassesCostNoMoreThanTheirNumber() {
    int numClasses = Integer.MAX_VALUE;
    int[] ids = new ClassSet(1000).fillUniformly(1000, numClasses, 7).sorted();
    assertEquals(1000, ids.length);
    assertTrue(0 <= ids[0]);
    assertTrue(ids[999] < numClasses);
    assertTrue(ids[999] > numClasses / 2, "draws are spread over all classes");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 16",
    "1, 16",
    "5, 16",
    "9, 32",
    "1000, 2048",
    "268435456, 536870912",
    "268435457, 1073741824",
    "536870912, 1073741824",
    "536870913, 1073741824",
    "805306368, 1073741824"
  })
  void theTableAlwaysHasEmptySlotsAndNeverMoreThanAnArrayMay(long capacity, int numSlots) {
    assertEquals(numSlots, ClassSet.numSlots(capacity));
    assertTrue(3L * numSlots >= 4 * capacity, "or a search for an id that is not there never ends");
  }

  @ParameterizedTest
  @ValueSource(longs = {805306369, Integer.MAX_VALUE, Integer.MAX_VALUE + 512L})
  void moreActiveClassesThanATableHoldsAreRefused(long capacity) {
    var e = assertThrows(IllegalArgumentException.class, () -> new ClassSet(capacity));
    assertEquals(
        "a selector can list 805306368 active classes, but a batch needs "
            + capacity
            + "; choose fewer, or take all",
        e.getMessage());
  }
}
