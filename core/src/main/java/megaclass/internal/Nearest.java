// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/** Finds the known word that a misspelt word was probably meant to be. */
public final class Nearest {
  private Nearest() {}

  /**
   * The known word with the fewest letters to insert, delete, replace or swap with their neighbour;
   * case does not count.
   *
   * @return empty when every known word differs in more than a third of its letters (at least one
   *     letter is always forgiven); the first of several equally near words otherwise
   */
  public static Optional<String> to(String word, Collection<String> known) {
    Optional<String> nearest = Optional.empty();
    int fewest = Integer.MAX_VALUE;
    for (String candidate : known) {
      int edits = edits(word.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
      if (edits < fewest && edits <= Math.max(1, candidate.length() / 3)) {
        fewest = edits;
        nearest = Optional.of(candidate);
      }
    }
    return nearest;
  }

  /**
   * Edit distance in which a swap of neighbours, the commonest slip of fingers, counts once
   * (optimal string alignment), by the usual table of which only three rows are kept.
   */
  private static int edits(String a, String b) {
    int[] twoAbove = new int[0];
    int[] above = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      above[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(replaced, 1 + Math.min(above[j], row[j - 1]));
        if (isSwap(a, i, b, j)) {
          row[j] = Math.min(row[j], 1 + twoAbove[j - 2]);
        }
      }
      twoAbove = above;
      above = row;
    }
    return above[b.length()];
  }

  /** Whether the two letters before {@code i} are those before {@code j} the other way round. */
  private static boolean isSwap(String a, int i, String b, int j) {
    return i > 1
        && j > 1
        && a.charAt(i - 1) == b.charAt(j - 2)
        && a.charAt(i - 2) == b.charAt(j - 1);
  }
}
