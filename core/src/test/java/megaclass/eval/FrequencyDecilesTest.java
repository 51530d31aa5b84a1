// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class FrequencyDecilesTest {
  @Property(tries = 100)
  void classesAreRankedByCountThenIdAndCutIntoTenEqualParts(
      @ForAll @IntRange(min = 1, max = 300) int numClasses, @ForAll long seed) {
    var random = new SplittableRandom(seed);
    long[] counts = random.longs(numClasses, 0, 20).toArray();
    var deciles = new FrequencyDeciles(counts);
    int[] ranked =
        IntStream.range(0, numClasses)
            .boxed()
            .sorted(Comparator.comparingLong((Integer c) -> counts[c]))
            .mapToInt(c -> c)
            .toArray();
    for (int d = 0; d < 10; d++) {
      int decile = d;
      int[] members =
          IntStream.range(0, numClasses)
              .filter(rank -> rank * 10 / numClasses == decile)
              .map(rank -> ranked[rank])
              .toArray();
      for (int c : members) {
        assertEquals(d, deciles.of(c), "class " + c);
      }
      assertEquals(
          Arrays.stream(members).mapToLong(c -> counts[c]).min().orElse(0), deciles.minCount(d));
      assertEquals(
          Arrays.stream(members).mapToLong(c -> counts[c]).max().orElse(0), deciles.maxCount(d));
    }
  }

  @Test
  void tenClassesAreOneToAPartTheRarestFirst() {
    var deciles = new FrequencyDeciles(new long[] {9, 8, 7, 6, 5, 4, 3, 2, 1, 1L << 40});
    assertEquals(0, deciles.of(8));
    assertEquals(8, deciles.of(0));
    assertEquals(9, deciles.of(9));
    assertEquals(1, deciles.minCount(0));
    assertEquals(9, deciles.maxCount(8));
  }
}
