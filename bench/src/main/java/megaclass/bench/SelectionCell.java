// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

/**
 * One run of the comparison of selectors.
 *
 * @param data name of a {@link SelectionData}
 * @param loss as text
 * @param method text of the selector with {@code r} in place of the share: {@code ivf(r)}
 * @param share of all classes that is to be active, in (0, 1]
 * @param lengths how many times as many epochs as the others
 * @param seed of the run; the data is the same for all seeds
 */
record SelectionCell(
    String data, String loss, String method, double share, int lengths, long seed) {
  /** The exact softmax. */
  static final String EXACT = "all";

  /** The text of the selector, for {@code megaclass train}. */
  String selector() {
    return method.replace("(r", "(" + share);
  }

  boolean isExact() {
    return method.equals(EXACT);
  }

  /** This cell with another seed. */
  SelectionCell withSeed(long seed) {
    return new SelectionCell(data, loss, method, share, lengths, seed);
  }

  @Override
  public String toString() {
    return "%s  %s  %s%s  seed %d"
        .formatted(data, loss, selector(), lengths == 1 ? "" : "  %dx".formatted(lengths), seed);
  }
}
