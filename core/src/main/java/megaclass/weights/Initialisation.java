// SPDX-License-Identifier: Apache-2.0
package megaclass.weights;

import megaclass.internal.SpecText;

/** Where class weights start. */
public enum Initialisation {
  /** Random directions: nothing is known. */
  RANDOM,

  /**
   * The mean direction of a class's own examples under the untrained backbone, which is the
   * nearest-class-mean classifier; a class without examples starts at random.
   */
  CLASS_MEANS;

  /** Reads the text of a constant, as "class-means". */
  public static Initialisation parse(String text) {
    for (Initialisation constant : values()) {
      if (constant.toString().equals(text)) {
        return constant;
      }
    }
    throw new IllegalArgumentException(
        "initialisation must be random or class-means, but was \"" + text + "\"");
  }

  @Override
  public String toString() {
    return SpecText.text(this);
  }
}
