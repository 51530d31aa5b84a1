// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import megaclass.internal.Hash;

/**
 * What {@link TokenHasher} enumerates, written down once more, plainly: a list of all n-grams of a
 * text, each a list of symbols, and the bucket of each.
 */
final class SlowTokens {
  private static final long WORD = 0x5851F42D4C957F2DL;

  private SlowTokens() {}

  /** The buckets of a text, ascending, an n-gram that occurs twice twice. */
  static int[] of(BackboneSpec.Bag spec, String text) {
    var buckets = new ArrayList<Integer>();
    var wordHashes = new ArrayList<Long>();
    for (List<Integer> word : words(text)) {
      for (int from = 0; from < word.size(); from++) {
        for (int to = from + 1; to <= word.size(); to++) {
          List<Integer> ngram = word.subList(from, to);
          boolean inRange =
              ngram.size() >= Math.max(1, spec.chars().min()) && ngram.size() <= spec.chars().max();
          boolean boundaryAlone = ngram.size() == 1 && (from == 0 || to == word.size());
          if (inRange && !boundaryAlone) {
            buckets.add(bucket(fold(0, ngram.stream().map(c -> (long) c).toList()), spec));
          }
        }
      }
      wordHashes.add(fold(WORD, word.stream().map(c -> (long) c).toList()));
    }
    for (int from = 0; from < wordHashes.size(); from++) {
      for (int to = from + 1; to <= wordHashes.size() && to - from <= spec.words(); to++) {
        buckets.add(bucket(fold(WORD, wordHashes.subList(from, to)), spec));
      }
    }
    if (buckets.isEmpty()) {
      buckets.add(0);
    }
    return buckets.stream().mapToInt(bucket -> bucket).sorted().toArray();
  }

  /** The code points of each word between {@code <} and {@code >}. */
  private static List<List<Integer>> words(String text) {
    int[] codePoints = text.codePoints().toArray();
    int[] spaces =
        IntStream.range(0, codePoints.length)
            .filter(i -> Character.isWhitespace(codePoints[i]))
            .toArray();
    var words = new ArrayList<List<Integer>>();
    int from = 0;
    for (int space :
        IntStream.concat(Arrays.stream(spaces), IntStream.of(codePoints.length)).toArray()) {
      if (space > from) {
        var word = new ArrayList<Integer>();
        word.add((int) '<');
        IntStream.range(from, space).forEach(i -> word.add(codePoints[i]));
        word.add((int) '>');
        words.add(word);
      }
      from = space + 1;
    }
    return words;
  }

  private static long fold(long start, List<Long> symbols) {
    long hash = start;
    for (long symbol : symbols) {
      hash = (hash ^ symbol) * 0x9E3779B97F4A7C15L + 1;
    }
    return hash;
  }

  private static int bucket(long hash, BackboneSpec.Bag spec) {
    return (int) (((Hash.mix(hash) >>> 32) * spec.buckets()) >>> 32);
  }
}
