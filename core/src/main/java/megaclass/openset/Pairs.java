// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.List;
import megaclass.internal.Check;
import megaclass.internal.Hash;

/** The pairs of items that verification decides about: same class, or different ones. */
public sealed interface Pairs permits Pairs.All, Pairs.Listed {
  /** All pairs of two items of a set, each once. */
  record All() implements Pairs {}

  /**
   * Given pairs, with folds: the same pairs in ten parts of consecutive ones, and the different
   * pairs likewise, which gives back the sets of the LFW protocol.
   */
  final class Listed implements Pairs {
    private final List<Pair> pairs;

    private Listed(List<Pair> pairs) {
      this.pairs = pairs;
    }

    /** How many pairs. */
    public int size() {
      return pairs.size();
    }

    /** A pair. */
    public Pair pair(int i) {
      return pairs.get(i);
    }
  }

  /**
   * A pair of items.
   *
   * @param same whether they are of one class
   */
  record Pair(int first, int second, boolean same) {}

  /** All pairs of two items of a set, each once. */
  static Pairs all() {
    return new All();
  }

  /** These pairs, in this order. */
  static Listed of(List<Pair> pairs) {
    return new Listed(List.copyOf(pairs));
  }

  /**
   * Draws pairs with replacement: by turns a same one, of an item of a class with others and one of
   * these, and a different one, of two items of different classes.
   *
   * @param count at least 2
   * @throws IllegalArgumentException when all items are of one class, or no two are
   */
  static Listed drawn(EmbeddingSet set, int count, long seed) {
    Check.inRange("number of pairs", count, 2, 1 << 24);
    var members = set.members();
    int[] several = members.classesWith(2);
    if (several.length == 0 || members.classesWith(1).length < 2) {
      throw new IllegalArgumentException(
          "to draw pairs takes a class with two examples and another class; add examples");
    }
    int[] mated = new int[set.size()];
    int numMated = 0;
    for (int c : several) {
      for (int i = 0; i < members.count(c); i++) {
        mated[numMated++] = members.item(c, i);
      }
    }
    var pairs = new Pair[count];
    for (int p = 0; p < count; p++) {
      long key = Hash.key(seed, p);
      pairs[p] = p % 2 == 0 ? same(set, members, mated, numMated, key) : different(set, key);
    }
    return new Listed(List.of(pairs));
  }

  private static Pair same(
      EmbeddingSet set, ClassMembers members, int[] mated, int numMated, long key) {
    int first = mated[Hash.below(numMated, Hash.key(key, 0))];
    int classId = set.classId(first);
    int second = members.item(classId, Hash.below(members.count(classId) - 1, Hash.key(key, 1)));
    int last = members.item(classId, members.count(classId) - 1);
    return new Pair(first, second == first ? last : second, true);
  }

  private static Pair different(EmbeddingSet set, long key) {
    int first;
    int second;
    long draw = 0;
    do { // the class of the first may be nearly all of the set, so both are drawn anew
      first = Hash.below(set.size(), Hash.key(key, draw++));
      second = Hash.below(set.size(), Hash.key(key, draw++));
    } while (set.classId(first) == set.classId(second));
    return new Pair(first, second, false);
  }
}
