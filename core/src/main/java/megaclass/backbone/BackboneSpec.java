// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import megaclass.internal.Check;
import megaclass.internal.SpecText;

/**
 * What turns the features of an example into its embedding. The width of the embedding is a setting
 * of the run, not part of the spec.
 *
 * <p>The text, as in configurations and logs, is {@code bag(chars=2-6, words=1, buckets=2097152,
 * dropout=0.4)} or {@code frozen}; {@code parse(spec.toString())} equals the spec. Specs are
 * immutable values.
 */
public sealed interface BackboneSpec {

  /** Dense features are the embeddings; nothing is learned below the class weights. */
  record Frozen() implements BackboneSpec {
    @Override
    public String toString() {
      return "frozen";
    }
  }

  /**
   * The mean of learned rows, one for each hashed character or word n-gram of a text (the input
   * layer of fastText: Joulin et al. 2017).
   *
   * @param chars lengths of the character n-grams
   * @param words length of the longest word n-gram, in [0, 5]; 0 for none
   * @param buckets rows of the table that n-grams are hashed to, in [1, 2^30]
   * @param dropout share of the n-grams of an example that a training step leaves out, in [0, 1)
   */
  record Bag(CharLengths chars, int words, int buckets, double dropout) implements BackboneSpec {
    public Bag {
      Check.inRange("words", words, 0, 5);
      Check.inRange("buckets", buckets, 1, 1 << 30);
      Check.inRightOpenRange("dropout", dropout, 0.0, 1.0);
      if (chars.max() == 0 && words == 0) {
        throw new IllegalArgumentException(
            "a bag needs n-grams, but chars was 0-0 and words was 0; set one of them");
      }
    }

    @Override
    public String toString() {
      return "bag(chars=%s, words=%s, buckets=%s, dropout=%s)"
          .formatted(chars, words, buckets, SpecText.text(dropout));
    }
  }

  /**
   * Lengths of character n-grams, in code points.
   *
   * @param min the shortest, in [1, max], or 0 when there are none
   * @param max the longest, at most 32, or 0 when there are none
   */
  record CharLengths(int min, int max) {
    public CharLengths {
      Check.inRange("longest of chars", max, 0, 32);
      Check.inRange("shortest of chars", min, Math.min(1, max), max);
    }

    @Override
    public String toString() {
      return min + "-" + max;
    }
  }

  /**
   * Reads the text of a backbone.
   *
   * @throws IllegalArgumentException when it is none of the forms, which the message lists
   */
  static BackboneSpec parse(String text) {
    return BackboneText.FORMS.parse(text);
  }
}
