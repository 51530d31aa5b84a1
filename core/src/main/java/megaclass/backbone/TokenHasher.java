// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import megaclass.internal.Hash;

/**
 * From a text to the buckets of its tokens: the n-grams of characters of each word, boundaries
 * marked, and its words and n-grams of words, as in fastText (Bojanowski et al. 2017; Joulin et al.
 * 2016). Two texts of the same characters have the same buckets on every machine.
 *
 * <p>Words are what white space separates; characters are Unicode code points. Each token falls
 * into one of {@code buckets} by its hash; two tokens in one bucket share a row. Not thread-safe:
 * one object a thread.
 */
final class TokenHasher {
  private static final long MULTIPLIER = 0x9E3779B97F4A7C15L;

  /** Keeps a word apart from the n-gram of the same characters. */
  private static final long WORD = 0x5851F42D4C957F2DL;

  private static final int BEGIN = '<';
  private static final int END = '>';

  private final int minChars;
  private final int maxChars;
  private final int maxWords;
  private final int buckets;
  private final long keepBelow;

  private int[] word = new int[64];
  private int wordLength;
  private long[] wordHashes = new long[16];
  private int numWords;
  private int[] tokens = new int[256];
  private int numTokens;
  private long random;
  private int lastDropped;

  TokenHasher(BackboneSpec.Bag spec) {
    this.minChars = spec.chars().min();
    this.maxChars = spec.chars().max();
    this.maxWords = spec.words();
    this.buckets = spec.buckets();
    this.keepBelow = (long) ((1 - spec.dropout()) * (1L << 32));
  }

  /**
   * Finds the buckets of a text.
   *
   * @param utf8 holds the text
   * @param dropoutKey decides which tokens are dropped; 0 keeps all. One token is always kept.
   * @return how many; see {@link #copyTokens}
   */
  int read(MemorySegment utf8, long offset, int length, long dropoutKey) {
    numTokens = 0;
    numWords = 0;
    lastDropped = 0;
    random = dropoutKey;
    startWord();
    for (long at = offset, end = offset + length; at < end; ) {
      int lead = utf8.get(JAVA_BYTE, at) & 0xFF;
      int bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      int codePoint = bytes == 1 ? lead : lead & (0x7F >> bytes);
      for (int i = 1; i < bytes; i++) {
        codePoint = (codePoint << 6) | (utf8.get(JAVA_BYTE, at + i) & 0x3F);
      }
      at += bytes;
      if (Character.isWhitespace(codePoint)) {
        endWord();
      } else {
        append(codePoint);
      }
    }
    endWord();
    addWordNgrams();
    if (numTokens == 0) { // an empty text, or all tokens dropped
      tokens[numTokens++] = lastDropped;
    }
    return numTokens;
  }

  /** Copies the buckets of the last text. */
  void copyTokens(int[] into, int offset) {
    System.arraycopy(tokens, 0, into, offset, numTokens);
  }

  private void startWord() {
    word[0] = BEGIN;
    wordLength = 1;
  }

  private void append(int codePoint) {
    if (wordLength + 2 > word.length) {
      word = Arrays.copyOf(word, 2 * word.length);
    }
    word[wordLength++] = codePoint;
  }

  private void endWord() {
    if (wordLength > 1) {
      word[wordLength++] = END;
      addCharacterNgrams();
      if (maxWords > 0) {
        if (numWords == wordHashes.length) {
          wordHashes = Arrays.copyOf(wordHashes, 2 * numWords);
        }
        long hash = WORD;
        for (int i = 0; i < wordLength; i++) {
          hash = extend(hash, word[i]);
        }
        wordHashes[numWords++] = hash;
      }
    }
    startWord();
  }

  /** The boundaries alone say nothing and are left out. */
  private void addCharacterNgrams() {
    if (maxChars == 0) {
      return;
    }
    for (int from = 0; from < wordLength; from++) {
      long hash = 0;
      int longest = Math.min(maxChars, wordLength - from);
      for (int n = 1; n <= longest; n++) {
        hash = extend(hash, word[from + n - 1]);
        boolean boundary = n == 1 && (from == 0 || from == wordLength - 1);
        if (n >= minChars && !boundary) {
          add(hash);
        }
      }
    }
  }

  private void addWordNgrams() {
    for (int from = 0; from < numWords; from++) {
      long hash = WORD;
      for (int n = 1; n <= Math.min(maxWords, numWords - from); n++) {
        hash = extend(hash, wordHashes[from + n - 1]);
        add(hash);
      }
    }
  }

  private static long extend(long hash, long symbol) {
    return (hash ^ symbol) * MULTIPLIER + 1;
  }

  private void add(long hash) {
    int bucket = (int) (((Hash.mix(hash) >>> 32) * buckets) >>> 32);
    if (random != 0) {
      random = random * 6364136223846793005L + 1442695040888963407L;
      if ((random >>> 32) >= keepBelow) {
        lastDropped = bucket;
        return;
      }
    }
    if (numTokens == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * numTokens);
    }
    tokens[numTokens++] = bucket;
  }
}
