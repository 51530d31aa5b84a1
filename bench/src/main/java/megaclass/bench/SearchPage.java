// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static megaclass.bench.Text.count;
import static megaclass.bench.Text.decimal;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import megaclass.bench.SelectionPlot.Series;

/** What indexes find and cost, in Markdown and as a picture. The same text for the same result. */
final class SearchPage {
  static final MarkedText PART =
      new MarkedText(
          "<!-- searched: written by megaclass bench selection table -->",
          "<!-- end of what was searched -->");

  /** Beside the page. */
  static final String IMAGE = "images/search.svg";

  private SearchPage() {}

  /**
   * A page with the part between its two marks written anew.
   *
   * @throws megaclass.internal.InvalidFileException when it lacks a mark
   */
  static String update(Path page, String text, SearchResult result) {
    return PART.replaced(page, text, of(result));
  }

  private static String of(SearchResult result) {
    var lines = new ArrayList<String>();
    lines.add(
        "%s classes of dim %d in families, %d samples at once. %s, %s, %s, commit %s."
            .formatted(
                count(result.numClasses()),
                result.dim(),
                result.batch(),
                result.machine(),
                result.compute(),
                result.date().substring(0, 10),
                result.commit()));
    lines.add("");
    lines.add("![Recall of the ten best classes against time](%s)".formatted(IMAGE));
    lines.add("");
    lines.add("| index | looks at | recall of the ten best | microseconds a sample | build, s |");
    lines.add("| --- | --- | --: | --: | --: |");
    for (SearchRun run : result.runs()) {
      lines.add(
          "| `%s` | %s | %s %% | %s (%s - %s) | %s |"
              .formatted(
                  run.index(),
                  run.effort(),
                  decimal(100 * run.recall(), 1),
                  decimal(run.micros().median(), 1),
                  decimal(run.micros().min(), 1),
                  decimal(run.micros().max(), 1),
                  decimal(run.buildSeconds(), 1)));
    }
    lines.add("");
    lines.add(
        "A forest is built anew, in the background, at the cost in the last column. The inverted"
            + " file"
            + " follows the weights instead: %s microseconds on one thread for a class weight that"
                .formatted(decimal(result.movedMicros(), 2))
            + " moved, and %s microseconds a step to repair its lists, all of them in 1000 steps."
                .formatted(decimal(result.repairMicros(), 0)));
    return String.join("\n", lines) + "\n";
  }

  /** The picture, as SVG. */
  static String image(SearchResult result) {
    Map<String, Series> series = new LinkedHashMap<>();
    for (SearchRun run : result.runs()) {
      series
          .computeIfAbsent(run.index(), name -> new Series(name, new ArrayList<>()))
          .points()
          .add(new Object[] {run.micros().median(), 100 * run.recall(), ""});
    }
    return SelectionPlot.draw(
        Map.of(
            "title",
            "Recall of the ten best of %s classes".formatted(count(result.numClasses())),
            "x",
            "microseconds a sample",
            "y",
            "recall, %",
            "series",
            List.copyOf(series.values())));
  }
}
