// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import megaclass.index.BinaryIvf;
import megaclass.internal.Check;
import megaclass.internal.SpecText;

/**
 * Which classes take part in the softmax of a mini-batch; the targets always do.
 *
 * <p>The text, as in configurations and logs, is {@code uniform(0.1)} or {@code exactTop(4096) +
 * tail(0.1) + groups(8)}; {@code parse(spec.toString())} equals the spec. Specs are immutable
 * values.
 */
public sealed interface SelectorSpec {

  /** Every class: the exact softmax. */
  record All() implements SelectorSpec {
    @Override
    public String toString() {
      return "all";
    }
  }

  /**
   * The targets and a random share of all classes (Partial FC: An et al. 2022).
   *
   * @param rate share of all classes that is active, in (0, 1]
   * @param corrected whether each class that is no target carries the log weight of those that it
   *     stands for, so that the sum over the classes is right on average; Partial FC does without
   */
  record Uniform(double rate, boolean corrected) implements SelectorSpec {
    public Uniform {
      Check.inLeftOpenRange("rate", rate, 0.0, 1.0);
    }

    @Override
    public String toString() {
      return "uniform(%s, corrected=%s)".formatted(SpecText.text(rate), corrected);
    }
  }

  /**
   * The targets and the classes of the largest logits of the mini-batch, by exact search: the upper
   * bound that an index comes near.
   *
   * @param numActive number of active classes, targets included, at least 1
   */
  record ExactTop(int numActive) implements SelectorSpec {
    public ExactTop {
      Check.positive("numActive", numActive);
    }

    @Override
    public String toString() {
      return "exactTop(%s)".formatted(numActive);
    }
  }

  /**
   * The targets and the classes that take the most probability from the samples of the mini-batch,
   * found by an inverted file of sign codes (our reconstruction of ANN Softmax, with the estimates
   * of RaBitQ).
   *
   * @param rate share of all classes that is active, targets included, in (0, 1]
   * @param numLists lists of the inverted file, nlist; 0 for twice the root of the classes
   * @param numProbes lists that a sample looks into, nprobe; 0 for one in 32
   * @param numCandidates classes whose exact scores a sample asks for; 0 for four times its part of
   *     the active ones, at least 16
   * @param repairEvery steps in which every list is repaired once, at least 1
   */
  record Ivf(double rate, int numLists, int numProbes, int numCandidates, int repairEvery)
      implements SelectorSpec {
    public Ivf {
      Check.inLeftOpenRange("rate", rate, 0.0, 1.0);
      Check.inRange("numLists", numLists, 0, BinaryIvf.MAX_LISTS);
      Check.inRange("numProbes", numProbes, 0, BinaryIvf.MAX_LISTS);
      Check.inRange("numCandidates", numCandidates, 0, 1 << 20);
      Check.positive("repairEvery", repairEvery);
    }

    @Override
    public String toString() {
      return "ivf(%s, numLists=%d, numProbes=%d, numCandidates=%d, repairEvery=%d)"
          .formatted(SpecText.text(rate), numLists, numProbes, numCandidates, repairEvery);
    }
  }

  /**
   * What another spec selects, and uniform draws from the classes left out, each of which carries
   * the log weight of those that it stands for.
   *
   * @param base selects the classes that stand for themselves; leaves some out, and has no tail
   * @param share number of draws as a share of the classes that {@code base} selects, in (0, 1]
   */
  record WithTail(SelectorSpec base, double share) implements SelectorSpec {
    public WithTail {
      Check.inLeftOpenRange("share", share, 0.0, 1.0);
      switch (base) {
        case All _ ->
            throw new IllegalArgumentException(
                "tail needs a selector that leaves classes out, but all leaves none out");
        case WithTail _ ->
            throw new IllegalArgumentException(
                "a selector has one tail at most, but two are given");
        case Uniform(double _, boolean corrected) when corrected ->
            throw new IllegalArgumentException(
                "corrected=true already stands for the classes left out; give it or tail, not"
                    + " both");
        case WithGroups _ ->
            throw new IllegalArgumentException("each group has its tail; write tail before groups");
        case Uniform _, ExactTop _, Ivf _ -> {}
      }
    }

    @Override
    public String toString() {
      return "%s + tail(%s)".formatted(base, SpecText.text(share));
    }
  }

  /**
   * What another spec selects, for each of several groups of similar samples of the mini-batch: a
   * sample competes with as many classes more as there are groups, at the same cost of logits
   * (sample grouping of ANN Softmax). Groups of less than 64 samples cost as much as those of 64.
   *
   * @param base selects for a group; leaves classes out
   * @param numGroups in [1, 4096]; in smaller batches each sample is a group
   */
  record WithGroups(SelectorSpec base, int numGroups) implements SelectorSpec {
    public WithGroups {
      Check.inRange("numGroups", numGroups, 1, 4096);
      switch (base) {
        case All _ ->
            throw new IllegalArgumentException(
                "groups need a selector that leaves classes out, but all leaves none out");
        case WithGroups _ ->
            throw new IllegalArgumentException(
                "a batch is cut in groups once, but groups are given twice");
        case Uniform _, ExactTop _, Ivf _, WithTail _ -> {}
      }
    }

    @Override
    public String toString() {
      return "%s + groups(%d)".formatted(base, numGroups);
    }
  }

  /**
   * Reads the text of a selector.
   *
   * @throws IllegalArgumentException when it is none of the forms, which the message lists
   */
  static SelectorSpec parse(String text) {
    return SelectorText.FORMS.parse(text);
  }
}
