// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.function.Consumer;

/**
 * How many of the best classes an index has to find to be used in place of scoring all classes.
 *
 * @param share of the k best classes of an example, on average, in (0, 1]
 * @param listener is told how classes are looked for as soon as that is known, and again when an
 *     index takes over, on the thread that asks for them
 */
public record Recall(double share, Consumer<ClassSearch> listener) {
  /** Checks the share. */
  public Recall {
    requireShare(share);
  }

  /**
   * Requires a share in (0, 1].
   *
   * @throws IllegalArgumentException with a sentence when it is not
   */
  public static double requireShare(double share) {
    if (!(share > 0 && share <= 1)) {
      throw new IllegalArgumentException(
          "recall must be in (0, 1], but was %s; give the share of the best classes that an index has to find, such as 0.99"
              .formatted(share));
    }
    return share;
  }
}
