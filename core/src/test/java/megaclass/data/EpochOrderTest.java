// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.BitSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EpochOrderTest {
  @ParameterizedTest
  @ValueSource(
      ints = {
        1,
        2,
        3,
        1023,
        1024,
        1025,
        2047,
        2048,
        2049,
        1 << 20,
        (1 << 20) + 1,
        1_049_600,
        2_500_001
      })
  void everyExampleComesExactlyOnce(int numExamples) {
    var order = new EpochOrder(numExamples, 1, 42, 3);
    var seen = new BitSet(numExamples);
    for (int i = 0; i < numExamples; i++) {
      seen.set(Math.toIntExact(order.example(i)));
    }
    assertEquals(numExamples, seen.cardinality());
    assertEquals(numExamples, seen.length());
  }

  @Property(tries = 200)
  void everyExampleComesExactlyOnceForAnySeed(
      @ForAll @IntRange(min = 1, max = 5000) int numExamples,
      @ForAll long seed,
      @ForAll @IntRange(min = 0, max = 100) int epoch) {
    var order = new EpochOrder(numExamples, 1, seed, epoch);
    assertEquals(numExamples, order.numExamples());
    var seen = new BitSet();
    for (int i = 0; i < numExamples; i++) {
      seen.set(Math.toIntExact(order.example(i)));
    }
    assertEquals(numExamples, seen.cardinality());
    assertEquals(numExamples, seen.length());
  }

  @Test
  void setsBeyondIntAreOrdered() {
    long numExamples = 5_000_000_000L;
    var order = new EpochOrder(numExamples, 1, 1, 0);
    for (long position = 0; position < numExamples; position += 9_999_991) {
      long example = order.example(position);
      assertTrue(example >= 0 && example < numExamples);
    }
  }

  @Test
  void anyPositionIsTheSameWhoeverAsksFirst() {
    var forwards = new EpochOrder(3_000_000, 1, 9, 2);
    var backwards = new EpochOrder(3_000_000, 1, 9, 2);
    var a = new long[3000];
    var b = new long[3000];
    for (int i = 0; i < 3000; i++) {
      a[i] = forwards.example(i * 1000L);
    }
    for (int i = 2999; i >= 0; i--) {
      b[i] = backwards.example(i * 1000L);
    }
    assertArrayEquals(a, b);
  }

  @Test
  void epochsAndSeedsHaveDifferentOrders() {
    long[] order = first(100_000, 1, 0);
    assertArrayEquals(order, first(100_000, 1, 0));
    assertFalse(Arrays.equals(order, first(100_000, 1, 1)));
    assertFalse(Arrays.equals(order, first(100_000, 2, 0)));
    // Not even by a shift: hardly any example may stand where it stood.
    long[] next = first(100_000, 1, 1);
    int same = 0;
    for (int i = 0; i < order.length; i++) {
      same += order[i] == next[i] ? 1 : 0;
    }
    assertTrue(same < 10, same + " of 1000 at the same place");
  }

  @Test
  void aBatchOfASortedSetIsAFairSample() {
    // Every tenth of the set must be drawn about equally often in the first 10 000 positions.
    var counts = new int[10];
    var order = new EpochOrder(1_000_000, 1, 5, 0);
    int neighbours = 0;
    long last = -10;
    for (int i = 0; i < 10_000; i++) {
      long example = order.example(i);
      counts[(int) (example / 100_000)]++;
      neighbours += Math.abs(example - last) < 1024 ? 1 : 0;
      last = example;
    }
    for (int count : counts) {
      assertEquals(1000, count, 150);
    }
    assertTrue(neighbours < 60, "expected about 20, got " + neighbours);
  }

  @Test
  void everyWindowIsShuffledTheLastOneToo() {
    var order = new EpochOrder(3_500_000, 1, 5, 0);
    for (int from = 0; from < 3_500_000; from += 100_000) {
      int inSequence = 0;
      for (int i = from + 1; i < from + 100_000; i++) {
        inSequence += order.example(i) == order.example(i - 1) + 1 ? 1 : 0;
      }
      assertTrue(inSequence < 10, inSequence + " in sequence from position " + from + " on");
    }
  }

  @Test
  void aWindowOfPositionsReadsAtMostAThousandAndTwentyFourBlocks() {
    long numExamples = 8L << 20;
    var order = new EpochOrder(numExamples, 1, 5, 0);
    var blocks = new BitSet();
    for (int i = 0; i < 1 << 20; i += 7) {
      blocks.set((int) (order.example(i) >>> 10));
    }
    // Block borders are shifted: each block may touch two aligned ones.
    assertTrue(blocks.cardinality() <= 2048, blocks.cardinality() + " blocks");
    assertTrue(blocks.cardinality() >= 1024, blocks.cardinality() + " blocks");
  }

  @Test
  void theLastExamplesOfTheFileAreNotAlwaysTheLastOfTheEpoch() {
    // 2 windows and 5 examples: what comes last must change from epoch to epoch.
    int numExamples = (2 << 20) + 5;
    var last = new BitSet();
    for (int epoch = 0; epoch < 10; epoch++) {
      last.set((int) new EpochOrder(numExamples, 1, 1, epoch).example(numExamples - 1));
    }
    assertTrue(last.cardinality() >= 9);
  }

  @Test
  void ordersNeverChange() {
    assertEquals(
        "[6329, 8959, 1824, 1774, 9883]", Arrays.toString(Arrays.copyOf(first(10_000, 42, 1), 5)));
  }

  @Test
  void positionsOutsideAreRefused() {
    var order = new EpochOrder(5, 1, 1, 0);
    assertEquals(
        "position 5 is not in [0, 5)",
        assertThrows(IndexOutOfBoundsException.class, () -> order.example(5)).getMessage());
    assertThrows(IndexOutOfBoundsException.class, () -> order.example(-1));
    assertEquals(
        "numExamples must be at least 1, but was 0",
        assertThrows(IllegalArgumentException.class, () -> new EpochOrder(0, 1, 1, 0))
            .getMessage());
  }

  private static long[] first(long numExamples, long seed, int epoch) {
    var order = new EpochOrder(numExamples, 1, seed, epoch);
    var examples = new long[1000];
    for (int i = 0; i < examples.length; i++) {
      examples[i] = order.example(i);
    }
    return examples;
  }

  @Test
  void neighbourhoodsStayTogetherAndEveryExampleComesOnce() {
    for (long numExamples : new long[] {1, 31, 32, 33, 1_023, 5_000, 1_048_576 + 100}) {
      var order = new EpochOrder(numExamples, 32, 7, 2);
      var seen = new java.util.BitSet((int) numExamples);
      long together = 0;
      for (long position = 0; position < numExamples; position++) {
        long example = order.example(position);
        seen.set((int) example);
        if (position % 32 != 0 && example == (order.example(position - 1) + 1) % numExamples) {
          together++;
        }
      }
      assertEquals(numExamples, seen.cardinality());
      long whole = numExamples / 32;
      assertTrue(together >= whole * 31, together + " neighbours of " + numExamples);
      if (whole > 4) {
        assertNotEquals(order.example(0) + 32, order.example(32), "the order is not shuffled");
      }
    }
  }

  @Test
  void neighbourhoodThatIsNoPowerOfTwoIsRefused() {
    var e = assertThrows(IllegalArgumentException.class, () -> new EpochOrder(10, 3, 1, 0));
    assertEquals("neighbourhood must be a power of 2, but was 3", e.getMessage());
    var tooLarge =
        assertThrows(IllegalArgumentException.class, () -> new EpochOrder(10, 2048, 1, 0));
    assertEquals("neighbourhood must be in [1, 1024], but was 2048", tooLarge.getMessage());
  }
}
