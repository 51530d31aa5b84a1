// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class HashTest {
  /**
   * XXH64 with seed 0 of bytes (37 i + 11) mod 256, from the xxhash package of Python:
   *
   * <pre>{@code xxhash.xxh64(bytes((i * 37 + 11) & 0xff for i in range(n))).hexdigest()}</pre>
   */
  private static final Map<Integer, Long> XXH64 =
      Map.ofEntries(
          Map.entry(0, 0xef46db3751d8e999L),
          Map.entry(1, 0xf592c0c7639c4cb6L),
          Map.entry(3, 0x22c08528601d4f27L),
          Map.entry(4, 0xfb1e5cf2f1ae4d95L),
          Map.entry(7, 0x5613ac510496c04eL),
          Map.entry(8, 0x57cb2b7521f3e21aL),
          Map.entry(12, 0x2f53b00266039e64L),
          Map.entry(31, 0xe4a0e629e519a4aeL),
          Map.entry(32, 0xcc6b8aaada790b2dL),
          Map.entry(33, 0x35ec49850475a832L),
          Map.entry(39, 0x22984e41b53c1210L),
          Map.entry(63, 0xbf9f0ba3cf95b28aL),
          Map.entry(64, 0x155ccce4bf32befcL),
          Map.entry(100, 0x4826e367566ea023L),
          Map.entry(1000, 0x128da10cfbdc59d9L));

  @Test
  void hashOfBytesIsXxh64() {
    XXH64.forEach(
        (length, expected) -> {
          var bytes = pattern(length);
          assertEquals(expected, Hash.of(bytes, 0, length), "length " + length);
        });
  }

  @Test
  void hashOfBytesDoesNotDependOnWhereTheyLie() {
    var bytes = pattern(100);
    try (var arena = Arena.ofConfined()) {
      for (int shift = 0; shift < 17; shift++) {
        var memory = arena.allocate(200);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, memory, shift, 100);
        assertEquals(0x4826e367566ea023L, Hash.of(memory, shift, 100));
        var array = new byte[200];
        System.arraycopy(bytes, 0, array, shift, 100);
        assertEquals(0x4826e367566ea023L, Hash.of(array, shift, 100));
      }
    }
  }

  @Test
  void mixIsTheFinaliserOfSplitMix64() {
    // First outputs of java.util.SplittableRandom(0), which are mix64 of multiples of its gamma.
    var random = new java.util.SplittableRandom(0);
    long gamma = 0x9E3779B97F4A7C15L;
    for (int i = 1; i <= 10; i++) {
      assertEquals(random.nextLong(), Hash.mix(i * gamma));
    }
  }

  @Test
  void keysNeverChange() {
    assertEquals(-4893543810735773810L, Hash.key(42, 7));
    assertEquals(2897057722809473977L, Hash.key(42, 7, 3));
    assertEquals(-4558883131291782237L, Hash.key(42, 7, 3, 1));
  }

  @Test
  void keysOfNeighbouringNumbersDiffer() {
    var seen = new HashSet<Long>();
    for (int seed = 0; seed < 10; seed++) {
      for (int a = -50; a < 50; a++) {
        seen.add(Hash.key(seed, a));
        seen.add(Hash.key(seed, a, a));
        seen.add(Hash.key(seed, a, a, a));
      }
    }
    assertEquals(3000, seen.size());
  }

  @Test
  void everyInputBitChangesHalfOfTheOutputBits() {
    for (int bit = 0; bit < 64; bit++) {
      int changed = 0;
      for (int i = 0; i < 1000; i++) {
        long x = Hash.key(1, i);
        changed += Long.bitCount(Hash.key(3, x) ^ Hash.key(3, x ^ (1L << bit)));
      }
      assertEquals(32.0, changed / 1000.0, 0.8, "bit " + bit);
    }
  }

  @Property
  void belowIsInRange(@ForAll @IntRange(min = 1) int bound, @ForAll long bits) {
    int drawn = Hash.below(bound, bits);
    assertTrue(drawn >= 0 && drawn < bound);
  }

  @Property
  void unitIsInRange(@ForAll long bits) {
    double drawn = Hash.unit(bits);
    assertTrue(drawn >= 0 && drawn < 1);
  }

  @Test
  void belowReachesEveryNumberEquallyOften() {
    var counts = new int[7];
    var seen = new BitSet();
    for (int i = 0; i < 70_000; i++) {
      int drawn = Hash.below(7, Hash.key(5, i));
      counts[drawn]++;
      seen.set(drawn);
    }
    assertEquals(7, seen.cardinality());
    for (int count : counts) {
      assertEquals(10_000, count, 400);
    }
  }

  private static byte[] pattern(int length) {
    var bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (i * 37 + 11);
    }
    return bytes;
  }
}
