// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

/** What the features of an example are. */
public enum FeatureKind {
  /** A row of float32 numbers, as many in each example. */
  DENSE("dense rows"),
  /** UTF-8 text of any length. */
  TEXT("text"),
  /** Pixels of one byte for each channel; all images of a set have one {@link ImageShape}. */
  IMAGE("images");

  private final String inWords;

  FeatureKind(String inWords) {
    this.inWords = inWords;
  }

  /** What a set of this kind holds, as it stands in a sentence: "dense rows", "text", "images". */
  public String inWords() {
    return inWords;
  }
}
