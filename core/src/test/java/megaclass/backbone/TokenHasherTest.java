// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import megaclass.internal.Hash;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** From texts to the buckets of their n-grams, and which of these dropout leaves out. */
class TokenHasherTest {
  private static final String LONG = "w szczebrzeszynie chrząszcz brzmi w trzcinie ".repeat(20);

  /** Letters of one to four bytes, and white space of one to three. */
  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.of("a", "b", "<", ">", "é", "ż", "你", "😀", "\u00a0", " ", "\t", "\u2003")
        .list()
        .ofMaxSize(40)
        .map(letters -> String.join("", letters));
  }

  @Property(tries = 500)
  void tokensAreThoseOfTheSlowTwin(
      @ForAll("texts") String text,
      @ForAll @IntRange(min = 0, max = 3) int minChars,
      @ForAll @IntRange(min = 0, max = 4) int moreChars,
      @ForAll @IntRange(min = 0, max = 3) int words,
      @ForAll @IntRange(min = 1, max = 1 << 20) int buckets) {
    int maxChars = minChars == 0 ? 0 : minChars + moreChars;
    int maxWords = maxChars == 0 ? Math.max(1, words) : words;
    var spec = bag(minChars, maxChars, maxWords, buckets, 0);
    assertArrayEquals(SlowTokens.of(spec, text), sorted(tokens(spec, text, 0)));
  }

  @Test
  void aWordHasTheNgramsThatOneCountsByHand() {
    // <ab>: <a ab b> <ab ab> and the word; of one character a, b
    assertEquals(6, tokens(bag(2, 3, 1, 1 << 20, 0), "ab", 0).length);
    assertEquals(2, tokens(bag(1, 1, 0, 1 << 20, 0), "ab", 0).length);
    // three words, two pairs, one triple
    assertEquals(6, tokens(bag(0, 0, 3, 1 << 20, 0), " a  b\nc ", 0).length);
  }

  @Test
  void bucketsOfTextsNeverChange() {
    // What trained models rely on: these numbers stand in their files.
    var spec = bag(2, 3, 2, 2_097_152, 0);
    assertArrayEquals(
        new int[] {
          1419976, 2063001, 1888683, 94318, 1798366, 1349624, 920740, 1787942, 1180373, 556677,
          2040882, 869791, 833988, 387313, 649201
        },
        tokens(spec, "żółw 😀", 0));
  }

  @Test
  void aTextWithoutNgramsHasOneToken() {
    for (String text : List.of("", " ", "\t\n\u2003 ")) {
      assertArrayEquals(new int[] {0}, tokens(bag(2, 4, 1, 1000, 0), text, 0));
      assertArrayEquals(new int[] {0}, tokens(bag(2, 4, 1, 1000, 0.9), text, 77));
    }
    // A word, but too short for any n-gram.
    assertArrayEquals(new int[] {0}, tokens(bag(9, 9, 0, 1000, 0), "abc", 0));
  }

  @Test
  void onlyTheBytesAskedForAreRead() {
    var spec = bag(2, 3, 1, 1000, 0);
    var bytes = MemorySegment.ofArray("xxxab cdyyy".getBytes(UTF_8));
    var hasher = new TokenHasher(spec);
    int count = hasher.read(bytes, 3, 5, 0);
    int[] found = new int[count + 2];
    hasher.copyTokens(found, 2);
    assertArrayEquals(tokens(spec, "ab cd", 0), Arrays.copyOfRange(found, 2, found.length));
  }

  @Test
  void dropoutKeepsItsShareOfTheTokens() {
    for (double dropout : new double[] {0.1, 0.4, 0.9}) {
      var spec = bag(2, 6, 1, 1 << 20, dropout);
      int all = tokens(spec, LONG, 0).length;
      long kept = 0;
      int rounds = 200;
      for (int round = 0; round < rounds; round++) {
        kept += tokens(spec, LONG, Hash.key(9, round)).length;
      }
      double deviation = Math.sqrt(dropout * (1 - dropout) / ((double) all * rounds));
      assertEquals(1 - dropout, (double) kept / all / rounds, 5 * deviation);
    }
  }

  @Test
  void dropoutLeavesOutEveryTokenEquallyOften() {
    var spec = bag(3, 3, 0, 1 << 20, 0.5);
    String word = "abcdefghijklmnop";
    int[] all = tokens(spec, word, 0);
    assertEquals(all.length, Arrays.stream(all).distinct().count());
    int[] kept = new int[all.length];
    int rounds = 4_000;
    for (int round = 0; round < rounds; round++) {
      for (int token : tokens(spec, word, Hash.key(4, round) | 1)) {
        kept[
            IntStream.range(0, all.length)
                .filter(i -> all[i] == token)
                .findFirst()
                .orElseThrow()]++;
      }
    }
    for (int count : kept) {
      assertEquals(0.5, (double) count / rounds, 5 * 0.5 / Math.sqrt(rounds));
    }
  }

  @Test
  void dropoutIsAFunctionOfItsKeyAndKeepsAtLeastOneTokenOfTheText() {
    var spec = bag(2, 2, 0, 1 << 20, 0.95);
    int[] all = tokens(spec, "abc", 0);
    var seen = new boolean[all.length];
    for (int key = 1; key < 300; key++) {
      int[] kept = tokens(spec, "abc", key);
      assertArrayEquals(kept, tokens(spec, "abc", key));
      assertTrue(kept.length >= 1);
      for (int token : kept) {
        int at = IntStream.range(0, all.length).filter(i -> all[i] == token).findFirst().orElse(-1);
        assertNotEquals(-1, at, "a token that the text does not have");
        seen[at] = true;
      }
    }
    assertArrayEquals(new boolean[] {true, true, true, true}, seen);
  }

  private static BackboneSpec.Bag bag(
      int minChars, int maxChars, int words, int buckets, double dropout) {
    return new BackboneSpec.Bag(
        new BackboneSpec.CharLengths(minChars, maxChars), words, buckets, dropout);
  }

  private static int[] tokens(BackboneSpec.Bag spec, String text, long dropoutKey) {
    byte[] utf8 = text.getBytes(UTF_8);
    var hasher = new TokenHasher(spec);
    int[] tokens = new int[hasher.read(MemorySegment.ofArray(utf8), 0, utf8.length, dropoutKey)];
    hasher.copyTokens(tokens, 0);
    return tokens;
  }

  private static int[] sorted(int[] values) {
    Arrays.sort(values);
    return values;
  }
}
