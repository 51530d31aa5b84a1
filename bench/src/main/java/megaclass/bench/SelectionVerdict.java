// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static megaclass.bench.Text.decimal;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What the runs with one loss on one data set say about the aims of the project: how near to exact
 * softmax selection comes, and whether it is better than uniform sampling in the same time.
 */
final class SelectionVerdict {
  /** So many points of top-1 may be lost at a tenth of the classes. */
  private static final double AIM_AT_TENTH = 0.1;

  /** And at a hundredth. */
  private static final double AIM_AT_HUNDREDTH = 0.5;

  private final List<SelectionGroup> groups;

  private SelectionVerdict(List<SelectionGroup> groups) {
    this.groups = groups;
  }

  /**
   * The sentences, in Markdown.
   *
   * @param groups of one loss on one data set
   */
  static List<String> of(List<SelectionGroup> groups) {
    var verdict = new SelectionVerdict(groups);
    var sentences = new ArrayList<String>();
    verdict.exact().ifPresent(exact -> verdict.addNearness(exact, sentences));
    for (double share : SelectionGrid.SHARES) {
      if (share < 0.1) {
        verdict.addAgainstUniform(share, sentences);
      }
    }
    return sentences;
  }

  private Optional<SelectionGroup> exact() {
    return groups.stream().filter(group -> group.cell().isExact()).findFirst();
  }

  private List<SelectionGroup> selected(double share) {
    return groups.stream()
        .filter(group -> !group.cell().isExact())
        .filter(group -> group.cell().share() == share)
        .filter(group -> group.cell().lengths() == 1)
        .toList();
  }

  private void addNearness(SelectionGroup exact, List<String> into) {
    addNearness(0.1, AIM_AT_TENTH, exact, into);
    addNearness(0.01, AIM_AT_HUNDREDTH, exact, into);
  }

  private void addNearness(double share, double aim, SelectionGroup exact, List<String> into) {
    var near = new ArrayList<String>();
    var far = new ArrayList<String>();
    for (SelectionGroup group : selected(share)) {
      group
          .above(exact)
          .ifPresent(
              above ->
                  (above >= -aim ? near : far).add("%s %s".formatted(name(group), signed(above))));
    }
    if (!near.isEmpty() || !far.isEmpty()) {
      into.add(
          "Within %s point of exact softmax at %s: %s."
              .formatted(decimal(aim, 1), percent(share), parts(near, far)));
    }
  }

  private void addAgainstUniform(double share, List<String> into) {
    var better = new ArrayList<String>();
    var notBetter = new ArrayList<String>();
    for (SelectionGroup group : selected(share)) {
      if (!SelectionGrid.isUniform(group.cell().method())) {
        uniformAt(group, share)
            .ifPresent(
                uniform -> {
                  double above = group.top1().median() - uniform;
                  (above > 0 ? better : notBetter)
                      .add("%s %s".formatted(name(group), signed(above)));
                });
      }
    }
    if (!better.isEmpty() || !notBetter.isEmpty()) {
      into.add(
          "Better than uniform sampling of %s in the same seconds: %s."
              .formatted(percent(share), parts(better, notBetter)));
    }
  }

  /**
   * Top-1 in percent, median over seeds, that the better of the two kinds of uniform sampling
   * reaches in the seconds of a group. Each kind ran at two lengths, both with the learning rate
   * going to its end: between them it is interpolated over the logarithm of time. Beyond them it is
   * that of the nearer one; but a group that would be ahead of the longer one is held against the
   * same line drawn on, which is kind to uniform sampling, since such curves flatten.
   */
  private Optional<Double> uniformAt(SelectionGroup group, double share) {
    return groups.stream()
        .filter(other -> SelectionGrid.isUniform(other.cell().method()))
        .filter(other -> other.cell().share() == share)
        .collect(Collectors.groupingBy(other -> other.cell().method()))
        .values()
        .stream()
        .map(lengths -> at(group, lengths))
        .max(Comparator.naturalOrder());
  }

  private static double at(SelectionGroup group, List<SelectionGroup> lengths) {
    double seconds = group.seconds();
    var byTime =
        lengths.stream().sorted(Comparator.comparingDouble(SelectionGroup::seconds)).toList();
    SelectionGroup shorter = byTime.getFirst();
    SelectionGroup longer = byTime.getLast();
    if (seconds <= shorter.seconds() || shorter.seconds() == longer.seconds()) {
      return shorter.top1().median();
    }
    double part =
        Math.log(seconds / shorter.seconds()) / Math.log(longer.seconds() / shorter.seconds());
    double from = shorter.top1().median();
    double to = longer.top1().median();
    boolean ahead = group.top1().median() > to;
    return from + (ahead ? part : Math.min(1, part)) * (to - from);
  }

  private static String parts(List<String> yes, List<String> no) {
    String hit = yes.isEmpty() ? "none" : String.join(", ", yes);
    return no.isEmpty() ? hit : hit + "; not " + String.join(", ", no);
  }

  private static String name(SelectionGroup group) {
    return "`" + group.cell().method() + "`";
  }

  /** Points with their sign, which a difference always has. */
  static String signed(double points) {
    return String.format(Locale.ROOT, "%+.2f", points).replace("-0.00", "+0.00");
  }

  /** A share as {@code 0.1 %}. */
  static String percent(double share) {
    return decimal(100 * share, share < 0.01 ? 1 : 0) + " %";
  }
}
