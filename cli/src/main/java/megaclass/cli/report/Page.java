// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.report;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import megaclass.cli.BuildInfo;
import megaclass.cli.text.Json;

/** What all reports are made with: one HTML file with everything in it. */
final class Page {
  private static final Pattern PLACE = Pattern.compile("\\{\\{(\\w+)\\}\\}");

  private Page() {}

  /**
   * A page.
   *
   * @param name of its template and script in the resources
   * @param texts HTML by the name of its place in the template
   * @param facts what the charts are drawn from
   */
  static String html(String name, Map<String, String> texts, Map<String, ?> facts) {
    var parts = new LinkedHashMap<>(texts);
    parts.put("style", read("report.css"));
    parts.put("library", library());
    parts.put("charts", read("charts.js"));
    parts.put("script", read(name + ".js"));
    // A "<" in a text must not end the script that the facts stand in.
    parts.put("facts", Json.line(facts).replace("<", "\\u003c"));
    return PLACE
        .matcher(read(name + ".html"))
        .replaceAll(
            place -> Matcher.quoteReplacement(Objects.requireNonNull(parts.get(place.group(1)))));
  }

  /** The numbers of the first screen, each with its name. */
  static String numbers(Map<String, String> numbers) {
    return numbers.entrySet().stream()
        .map(
            number ->
                "<div><strong>%s</strong><span>%s</span></div>"
                    .formatted(escape(number.getValue()), escape(number.getKey())))
        .collect(Collectors.joining("\n"));
  }

  /** Facts as a list of names and values. */
  static String rows(Facts facts) {
    return facts.values().entrySet().stream()
        .map(
            fact ->
                "<div><dt>%s</dt><dd>%s</dd></div>"
                    .formatted(escape(fact.getKey()), escape(String.valueOf(fact.getValue()))))
        .collect(Collectors.joining("\n"));
  }

  /** A table of texts. */
  static String table(List<String> headings, List<List<String>> rows) {
    var html = new StringBuilder("<table><thead><tr>");
    headings.forEach(heading -> html.append("<th>").append(escape(heading)).append("</th>"));
    html.append("</tr></thead><tbody>\n");
    for (var row : rows) {
      html.append("<tr>");
      row.forEach(cell -> html.append("<td>").append(escape(cell)).append("</td>"));
      html.append("</tr>\n");
    }
    return html.append("</tbody></table>").toString();
  }

  /** Text as HTML; groups of digits stay on one line. */
  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replaceAll("(?<=\\d) (?=\\d{3}\\b)", "&#8239;");
  }

  private static String library() {
    return read(
        "/META-INF/resources/webjars/echarts/%s/dist/echarts.common.min.js"
            .formatted(BuildInfo.echartsVersion()));
  }

  private static String read(String name) {
    try (var in = Page.class.getResourceAsStream(name)) {
      return new String(Objects.requireNonNull(in, name).readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + name + " of the program", e);
    }
  }
}
