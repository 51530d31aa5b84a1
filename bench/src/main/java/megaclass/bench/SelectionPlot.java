// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ScriptableObject;

/**
 * Draws top-1 against seconds of training, a line a way to select: with the chart library of the
 * reports, in a script engine, so that the picture is the same on every machine, whatever fonts it
 * has.
 */
final class SelectionPlot {
  /** A series as the script reads it: a name, and points (seconds, top-1 in percent, share). */
  record Series(String name, List<Object[]> points) {}

  private SelectionPlot() {}

  /**
   * The picture as SVG.
   *
   * @param groups of one loss on one data set, finished runs all
   */
  static String svg(String title, List<SelectionGroup> groups) {
    var series = new LinkedHashMap<String, Series>();
    for (SelectionGroup group : groups) {
      SelectionCell cell = group.cell();
      String name =
          cell.isExact()
              ? "all, exact"
              : cell.method() + (cell.lengths() == 1 ? "" : ", %d x".formatted(cell.lengths()));
      series
          .computeIfAbsent(name, _ -> new Series(name, new ArrayList<>()))
          .points()
          .add(
              new Object[] {
                group.seconds(), group.top1().median(), SelectionVerdict.percent(cell.share())
              });
    }
    return draw(
        Map.of(
            "title",
            title,
            "x",
            "seconds of training",
            "y",
            "top-1, %",
            "series",
            series.values()));
  }

  /**
   * Draws.
   *
   * @param facts title, names of the axes x and y, and series, each with a name and points (x, y,
   *     label)
   */
  static String draw(Map<String, Object> facts) {
    try (var context = Context.enter()) {
      context.setLanguageVersion(Context.VERSION_ES6);
      context.setInterpretedMode(true);
      ScriptableObject scope = context.initStandardObjects();
      run(context, scope, "echarts.common.min.js");
      run(context, scope, "selection-plot.js");
      String call = "draw(" + ResultFile.text(facts) + ")";
      return Context.toString(context.evaluateString(scope, call, "call", 1, null)) + "\n";
    }
  }

  private static void run(Context context, ScriptableObject scope, String script) {
    context.evaluateString(scope, resource(script), script, 1, null);
  }

  private static String resource(String name) {
    try (var in = SelectionPlot.class.getResourceAsStream(name)) {
      return new String(Objects.requireNonNull(in, name).readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + name + " of the program", e);
    }
  }
}
