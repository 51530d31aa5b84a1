// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static megaclass.bench.Text.count;
import static megaclass.bench.Text.decimal;
import static megaclass.bench.Text.rate;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import megaclass.bench.SelectionRun.Chosen;

/** The measured part of {@code docs/selection.md}, in Markdown. The same text for the same runs. */
final class SelectionPage {
  static final MarkedText PART =
      new MarkedText(
          "<!-- measured: written by megaclass bench selection table -->",
          "<!-- end of what was measured -->");
  private static final String NONE = "-";

  private final List<String> lines = new ArrayList<>();

  private SelectionPage() {}

  /**
   * A page with the part between its two marks written anew.
   *
   * @throws megaclass.internal.InvalidFileException when it lacks a mark
   */
  static String update(Path page, String text, List<SelectionRun> runs) {
    return PART.replaced(page, text, of(runs));
  }

  /** The images that the text shows, as SVG, by their path beside the page. */
  static Map<String, String> images(List<SelectionRun> runs) {
    var images = new LinkedHashMap<String, String>();
    byData(runs).forEach((data, of) -> images.put(image(data), plot(data, of)));
    return images;
  }

  private static String of(List<SelectionRun> runs) {
    var page = new SelectionPage();
    if (runs.isEmpty()) {
      page.add("Nothing has been measured yet.");
    } else {
      page.addHead(runs);
      byData(runs).forEach(page::addData);
    }
    return String.join("\n", page.lines).strip() + "\n";
  }

  /** In the order of the enumeration, which is that of the page. */
  private static Map<SelectionData, List<SelectionRun>> byData(List<SelectionRun> runs) {
    var byData = new LinkedHashMap<SelectionData, List<SelectionRun>>();
    for (SelectionData data : SelectionData.values()) {
      var of = runs.stream().filter(run -> run.cell().data().equals(data.toString())).toList();
      if (!of.isEmpty()) {
        byData.put(data, of);
      }
    }
    return byData;
  }

  private static List<SelectionGroup> ofLoss(List<SelectionRun> runs, String loss) {
    return SelectionGroup.of(runs.stream().filter(run -> run.cell().loss().equals(loss)).toList());
  }

  private static String image(SelectionData data) {
    return "images/selection-" + data + ".svg";
  }

  private static String plot(SelectionData data, List<SelectionRun> runs) {
    String loss = data.losses().getFirst();
    return SelectionPlot.svg(data.title() + ", " + loss, ofLoss(runs, loss));
  }

  private void addHead(List<SelectionRun> runs) {
    var dates = runs.stream().map(run -> run.date().substring(0, 10)).sorted().toList();
    String first = dates.getFirst();
    String last = dates.getLast();
    add(
        "%s runs on %s, %s, %s, commit %s."
            .formatted(
                count(runs.size()),
                all(runs.stream().map(SelectionRun::machine)),
                all(runs.stream().map(SelectionRun::compute)),
                first.equals(last) ? first : first + " to " + last,
                all(runs.stream().map(SelectionRun::commit))),
        "");
  }

  private static String all(Stream<String> values) {
    return values.distinct().collect(Collectors.joining(" and "));
  }

  private void addData(SelectionData data, List<SelectionRun> runs) {
    SelectionRun any = runs.getFirst();
    add("### " + data.title(), "");
    add(
        "%s classes, %s held-out examples. Flags of all runs: `--epochs=%s %s`."
            .formatted(
                count(any.numClasses()),
                count(any.tested().examples()),
                data.epochs(),
                String.join(" ", any.settings())),
        "");
    if (!SelectionGrid.isExactMeasured(data)) {
      add("Exact softmax was not run here: it would take hours.", "");
    }
    add("![Top-1 against seconds of training](%s)".formatted(image(data)), "");
    for (String loss : runs.stream().map(run -> run.cell().loss()).distinct().toList()) {
      addLoss(loss, ofLoss(runs, loss));
    }
  }

  private void addLoss(String loss, List<SelectionGroup> groups) {
    add("#### `%s`".formatted(loss), "");
    List<String> verdict = SelectionVerdict.of(groups);
    if (!verdict.isEmpty()) {
      verdict.forEach(sentence -> add("* " + sentence));
      add("");
    }
    row(
        "selector",
        "share",
        "active",
        "covered mass",
        "recall",
        "bias of log Z",
        "top-1, %",
        "seeds",
        "against exact",
        "top-5, %",
        "seconds",
        "examples/s");
    row("---", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:");
    groups.forEach(group -> addGroup(group, groups));
    add("");
  }

  private void addGroup(SelectionGroup group, List<SelectionGroup> all) {
    SelectionCell cell = group.cell();
    Spread top1 = group.top1();
    row(
        "`%s`%s"
            .formatted(
                cell.method(),
                cell.lengths() == 1 ? "" : ", %d x as long".formatted(cell.lengths())),
        SelectionVerdict.percent(cell.share()),
        count(Math.round(group.spread(SelectionRun::numActive).median())),
        chosen(group, chosen -> decimal(100 * chosen.coveredMass(), 1) + " %"),
        chosen(group, chosen -> decimal(100 * chosen.selectionRecall(), 1) + " %"),
        chosen(group, chosen -> decimal(chosen.logZBias(), 3)),
        "%s (%s - %s)"
            .formatted(decimal(top1.median(), 2), decimal(top1.min(), 2), decimal(top1.max(), 2)),
        String.valueOf(group.runs().size()),
        againstExact(group, all),
        decimal(group.spread(run -> 100 * run.tested().top5()).median(), 2),
        rate(group.seconds()),
        count(Math.round(group.spread(SelectionRun::examplesPerSecond).median())));
  }

  /** What the last validation of the first seed said. */
  private static String chosen(SelectionGroup group, Function<Chosen, String> text) {
    Chosen chosen = group.runs().getFirst().chosen();
    return chosen == null ? NONE : text.apply(chosen);
  }

  private static String againstExact(SelectionGroup group, List<SelectionGroup> all) {
    return all.stream()
        .filter(other -> other.cell().isExact() && !group.cell().isExact())
        .map(group::above)
        .filter(OptionalDouble::isPresent)
        .map(above -> SelectionVerdict.signed(above.getAsDouble()))
        .findFirst()
        .orElse(NONE);
  }

  private void row(String... cells) {
    add("| " + String.join(" | ", cells) + " |");
  }

  private void add(String... more) {
    lines.addAll(List.of(more));
  }
}
