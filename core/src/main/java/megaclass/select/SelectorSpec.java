// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import megaclass.index.BinaryIvf;
import megaclass.index.HashingForest;
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
  /** Most candidates of a sample that can be asked for. */
  int MAX_CANDIDATES = 1 << 20;

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
   * @param rate share of all classes that is active, targets included, in (0, 1]; with a coverage
   *     below 1 the largest share
   * @param coverage share of the softmax's probability, over all classes and on average over the
   *     batch, at which no more classes are taken, in (0, 1]; 1 takes {@code rate} of them always
   * @param numLists lists of the inverted file, nlist; 0 for twice the root of the classes
   * @param numProbes lists that a sample looks into, nprobe; 0 for one in 32
   * @param numCandidates classes whose exact scores a sample asks for; 0 for four times its part of
   *     the active ones, at least 16
   * @param repairEvery steps in which every list is repaired once, at least 1
   * @param code what the sign codes are compared with
   */
  record Ivf(
      double rate,
      double coverage,
      int numLists,
      int numProbes,
      int numCandidates,
      int repairEvery,
      BinaryIvf.Code code)
      implements SelectorSpec {
    public Ivf {
      Check.inLeftOpenRange("rate", rate, 0.0, 1.0);
      Check.inLeftOpenRange("coverage", coverage, 0.0, 1.0);
      Check.inRange("numLists", numLists, 0, BinaryIvf.MAX_LISTS);
      Check.inRange("numProbes", numProbes, 0, BinaryIvf.MAX_LISTS);
      Check.inRange("numCandidates", numCandidates, 0, MAX_CANDIDATES);
      Check.positive("repairEvery", repairEvery);
    }

    /** With a rate, and all else as it suits. */
    static Ivf ofRate(double rate) {
      return new Ivf(rate, 1, 0, 0, 0, 1000, BinaryIvf.Code.RABITQ);
    }

    Ivf with(int numCandidates, int repairEvery) {
      return new Ivf(rate, coverage, numLists, numProbes, numCandidates, repairEvery, code);
    }

    @Override
    public String toString() {
      return "ivf(%s, coverage=%s, numLists=%d, numProbes=%d, numCandidates=%d, repairEvery=%d, code=%s)"
          .formatted(
              SpecText.text(rate),
              SpecText.text(coverage),
              numLists,
              numProbes,
              numCandidates,
              repairEvery,
              SpecText.text(code));
    }
  }

  /**
   * The targets and the classes whose weights are nearest to theirs (KNN-Softmax: KDD 2020).
   *
   * @param rate share of all classes that is active, targets included, in (0, 1]
   * @param numNeighbours classes in the list of each class; 0 for four times a sample's part of the
   *     active ones, at least 16
   * @param refreshEvery steps after which the list of a class is made anew when it is a target, at
   *     least 1
   */
  record Neighbours(double rate, int numNeighbours, int refreshEvery) implements SelectorSpec {
    public Neighbours {
      Check.inLeftOpenRange("rate", rate, 0.0, 1.0);
      Check.inRange("numNeighbours", numNeighbours, 0, MAX_CANDIDATES - 1);
      Check.positive("refreshEvery", refreshEvery);
    }

    @Override
    public String toString() {
      return "neighbours(%s, numNeighbours=%d, refreshEvery=%d)"
          .formatted(SpecText.text(rate), numNeighbours, refreshEvery);
    }
  }

  /**
   * Uniform classes, each of which stands for all that were not drawn, or those of {@code ivf} with
   * a tail: whichever has the better gradient for what a step costs, found out by trying.
   *
   * @param rate share of all classes that is active, targets included, in (0, 1]
   * @param tuneAfter steps after which it is found out for the first time, and then again whenever
   *     there have been four times as many; 0 for as many as take fifty times as long
   */
  record Auto(double rate, int tuneAfter) implements SelectorSpec {
    public Auto {
      Check.inLeftOpenRange("rate", rate, 0.0, 1.0);
      Check.inRange("tuneAfter", tuneAfter, 0, Integer.MAX_VALUE);
    }

    @Override
    public String toString() {
      return "auto(%s, tuneAfter=%d)".formatted(SpecText.text(rate), tuneAfter);
    }
  }

  /**
   * Uniform classes for the first steps, those of another spec later.
   *
   * @param base selects later; leaves classes out
   * @param numSteps how many steps are uniform, at least 1
   */
  record Curriculum(SelectorSpec base, int numSteps) implements SelectorSpec {
    public Curriculum {
      Check.positive("numSteps", numSteps);
      switch (base) {
        case All _, Uniform _, Auto _ ->
            throw new IllegalArgumentException(
                "a curriculum ends with a selector that looks for classes, but got " + base);
        case Curriculum _ ->
            throw new IllegalArgumentException("a curriculum has one end, but two are given");
        case WithGroups _ ->
            throw new IllegalArgumentException(
                "groups are cut from the first step on; write curriculum before groups");
        case ExactTop _, Ivf _, Forest _, Neighbours _, Adaptive _, WithTail _ -> {}
      }
    }

    @Override
    public String toString() {
      return "%s + curriculum(%d)".formatted(base, numSteps);
    }
  }

  /**
   * As many classes of a spec as hold most of the softmax: adaptive allocation of HF-Softmax.
   *
   * @param base finds classes by an index; its rate is the largest share that is ever active
   * @param massThreshold probability that the active classes of a sample are to hold, tau_cp, in
   *     (0, 1]
   * @param policy what to do where {@code base}'s rate is not enough for that
   * @param probeEvery steps from one exact look at the softmax to the next, at least 1
   */
  record Adaptive(SelectorSpec base, double massThreshold, Policy policy, int probeEvery)
      implements SelectorSpec {
    /** What to do while the softmax is too flat for so few classes, as at the start of a run. */
    public enum Policy {
      /** Take as many as are allowed. */
      LITERAL,

      /** Take few, until there is something to find. */
      REACHABLE
    }

    public Adaptive {
      Check.inLeftOpenRange("massThreshold", massThreshold, 0.0, 1.0);
      Check.positive("probeEvery", probeEvery);
      if (!ClassIndexes.isIndexed(base)) {
        throw new IllegalArgumentException(
            "adaptive needs a selector with an index, ivf or forest, but got %s; other additions come behind it"
                .formatted(base));
      }
    }

    @Override
    public String toString() {
      return "%s + adaptive(%s, policy=%s, probeEvery=%d)"
          .formatted(base, SpecText.text(massThreshold), SpecText.text(policy), probeEvery);
    }
  }

  /**
   * The targets and the classes that take the most probability from the samples of the mini-batch,
   * found by a hashing forest (HF-Softmax: Zhang et al. 2018).
   *
   * @param rate share of all classes that is active, targets included, in (0, 1]
   * @param numTrees trees of the forest, L in the paper, in [1, 10000]
   * @param leafSize most classes in a leaf; 0 for as many as give a sample's leaves together a
   *     hundred times its part of the active classes, at least 32
   * @param numCandidates classes whose exact scores a sample asks for, at least; 0 for those of its
   *     leaves
   * @param refreshEvery steps from one forest to the next, T in the paper, at least 1
   * @param refreshDrift how far the weights must have moved since the forest was built, as a share
   *     of their length, for a next one to be begun; in [0, 1], 0 for always
   */
  record Forest(
      double rate,
      int numTrees,
      int leafSize,
      int numCandidates,
      int refreshEvery,
      double refreshDrift)
      implements SelectorSpec {
    public Forest {
      Check.inLeftOpenRange("rate", rate, 0.0, 1.0);
      Check.inRange("numTrees", numTrees, 1, HashingForest.MAX_TREES);
      Check.atLeast("leafSize", leafSize, 0);
      Check.inRange("numCandidates", numCandidates, 0, MAX_CANDIDATES);
      Check.positive("refreshEvery", refreshEvery);
      Check.inRange("refreshDrift", refreshDrift, 0.0, 1.0);
    }

    @Override
    public String toString() {
      return "forest(%s, numTrees=%d, leafSize=%d, numCandidates=%d, refreshEvery=%d, refreshDrift=%s)"
          .formatted(
              SpecText.text(rate),
              numTrees,
              leafSize,
              numCandidates,
              refreshEvery,
              SpecText.text(refreshDrift));
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
        case Auto _ ->
            throw new IllegalArgumentException(
                "auto takes a tail where it needs one; leave it out");
        case Curriculum _ ->
            throw new IllegalArgumentException(
                "uniform classes need no tail; write tail before curriculum");
        case Uniform _, ExactTop _, Ivf _, Forest _, Neighbours _, Adaptive _ -> {}
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
        case Auto _,
            Uniform _,
            ExactTop _,
            Ivf _,
            Forest _,
            Neighbours _,
            Adaptive _,
            Curriculum _,
            WithTail _ -> {}
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
