// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class RankingTest {
  @Property
  void aKeyKeepsItsScoreAndId(@ForAll float score, @ForAll @IntRange(min = 0) int id) {
    if (!Float.isNaN(score)) {
      assertEquals(score + 0f, Ranking.score(Ranking.key(score, id)));
      assertEquals(id, Ranking.id(Ranking.key(score, id)));
    }
  }

  @Property
  void largerScoresComeFirstAndEqualOnesById(
      @ForAll float a, @ForAll float b, @ForAll @IntRange(min = 0) int id) {
    if (!Float.isNaN(a) && !Float.isNaN(b)) {
      int expected = a == b ? 0 : Float.compare(b, a);
      assertEquals(expected, Long.compare(Ranking.key(a, id), Ranking.key(b, id)));
    }
    assertEquals(-1, Long.compare(Ranking.key(a, 7), Ranking.key(a, 8)));
  }

  @Test
  void theBestAreThoseOfAFullSort() {
    var random = new SplittableRandom(3);
    for (int size : new int[] {0, 1, 2, 3, 10, 63, 500}) {
      for (int values : new int[] {1, 2, 5, 1000}) { // many equal keys, and few
        for (int count = 0; count <= size; count += Math.max(1, size / 7)) {
          long[] keys = random.longs(size, 0, values).toArray();
          long[] sorted = keys.clone();
          Arrays.sort(sorted);
          Ranking.selectBest(keys, size, count);
          Arrays.sort(keys, 0, count);
          assertArrayEquals(Arrays.copyOf(sorted, count), Arrays.copyOf(keys, count));
          Arrays.sort(keys);
          assertArrayEquals(sorted, keys, "nothing may be lost");
        }
      }
    }
  }
}
