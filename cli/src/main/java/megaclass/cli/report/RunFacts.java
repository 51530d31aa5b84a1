// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What the metrics of a run say, by kind of message.
 *
 * @param started the last message of that kind: a resumed run has several
 * @param progress all reports
 * @param evaluated all evaluations during the run
 * @param chosen all measurements of the choice of active classes
 * @param finished end of training
 * @param tested the evaluation at the end
 * @param saved the model file
 */
record RunFacts(
    Facts started,
    List<Facts> progress,
    List<Facts> evaluated,
    List<Facts> chosen,
    Facts finished,
    Facts tested,
    Facts saved) {

  static RunFacts of(List<Map<String, Object>> metrics) {
    var facts = metrics.stream().map(Facts::new).toList();
    return new RunFacts(
        last(facts, "started"),
        all(facts, "progress"),
        all(facts, "evaluated"),
        all(facts, "selection"),
        last(facts, "finished"),
        last(facts, "tested"),
        last(facts, "saved"));
  }

  /** Examples trained on a second, over the whole run. */
  double examplesPerSecond() {
    if (progress.isEmpty()) {
      return Double.NaN;
    }
    var last = progress.getLast();
    double examples = last.number("epoch") * started.facts("train").number("examples");
    return examples / last.number("seconds");
  }

  /** At most so many reports: means of as many groups of neighbours. */
  List<double[]> losses(int most) {
    var points = new ArrayList<double[]>();
    int group = Math.max(1, Math.ceilDiv(progress.size(), most));
    for (int from = 0; from < progress.size(); from += group) {
      var members = progress.subList(from, Math.min(progress.size(), from + group));
      double loss = members.stream().mapToDouble(f -> f.number("loss")).average().orElse(0);
      points.add(new double[] {members.getLast().number("seconds"), loss});
    }
    return points;
  }

  /** The first, the middle and the last measurement of the choice; fewer if there are fewer. */
  List<Facts> chosenAlongTheRun() {
    if (chosen.isEmpty()) {
      return List.of();
    }
    int last = chosen.size() - 1;
    return IntStream.of(0, last / 2, last).distinct().mapToObj(chosen::get).toList();
  }

  private static List<Facts> all(List<Facts> facts, String event) {
    return facts.stream().filter(f -> f.text("event").equals(event)).toList();
  }

  private static Facts last(List<Facts> facts, String event) {
    var all = all(facts, event);
    return all.isEmpty() ? Facts.NONE : all.getLast();
  }
}
