// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.HashMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class PermutationTest {
  @Property(tries = 300)
  void everyNumberComesExactlyOnce(
      @ForAll @IntRange(min = 1, max = 5000) int size, @ForAll long key) {
    var permutation = new Permutation(size, key);
    var seen = new BitSet(size);
    for (int i = 0; i < size; i++) {
      seen.set(Math.toIntExact(permutation.at(i)));
    }
    assertEquals(size, seen.cardinality());
    assertEquals(size, seen.length());
  }

  @Property
  void numbersStayInRangeForSizesBeyondInt(
      @ForAll @LongRange(min = 1L << 31, max = 1L << 62) long size, @ForAll long key) {
    var permutation = new Permutation(size, key);
    for (long i : new long[] {0, 1, size / 2, size - 1}) {
      long at = permutation.at(i);
      assertTrue(at >= 0 && at < size);
    }
  }

  @Test
  void everyOrderOfThreeIsAboutEquallyLikely() {
    var counts = new HashMap<String, Integer>();
    for (int key = 0; key < 60_000; key++) {
      var permutation = new Permutation(3, key);
      var order = "" + permutation.at(0) + permutation.at(1) + permutation.at(2);
      counts.merge(order, 1, Integer::sum);
    }
    assertEquals(6, counts.size());
    counts.forEach((order, count) -> assertEquals(10_000, count, 600, order));
  }

  @Test
  void positionsHaveNoTrendAndNeighboursAreSeparated() {
    int size = 100_000;
    var permutation = new Permutation(size, 7);
    double distance = 0;
    double firstHalf = 0;
    for (int i = 1; i < size; i++) {
      distance += Math.abs(permutation.at(i) - permutation.at(i - 1));
      firstHalf += i < size / 2 ? permutation.at(i) : 0;
    }
    // Two random numbers below size are size / 3 apart, on average.
    assertEquals(1.0 / 3, distance / size / size, 0.01);
    assertEquals(0.5, firstHalf / size / size * 2, 0.01);
  }

  @Test
  void permutationsNeverChange() {
    var permutation = new Permutation(1000, 42);
    assertEquals(
        "189 796 925", permutation.at(0) + " " + permutation.at(1) + " " + permutation.at(999));
  }

  @Test
  void positionsOutsideAreRefused() {
    var permutation = new Permutation(10, 1);
    var e = assertThrows(IndexOutOfBoundsException.class, () -> permutation.at(10));
    assertEquals("position 10 is not in [0, 10)", e.getMessage());
    assertThrows(IndexOutOfBoundsException.class, () -> permutation.at(-1));
    var none = assertThrows(IllegalArgumentException.class, () -> new Permutation(0, 1));
    assertEquals("size must be at least 1, but was 0", none.getMessage());
  }
}
