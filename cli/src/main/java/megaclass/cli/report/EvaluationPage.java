// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.report;

import static megaclass.cli.report.Page.escape;
import static megaclass.cli.report.Page.table;
import static megaclass.cli.text.Quantity.count;
import static megaclass.cli.text.Quantity.decimal;
import static megaclass.cli.text.Quantity.percent;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The report of embeddings that were measured by open protocols, as one HTML file. */
public final class EvaluationPage {
  private static final List<String> RANKS = List.of("rank1", "rank5", "rank10");

  private final Facts results;
  private final Facts embedded;
  private final Facts verification;
  private final Facts identification;
  private final Facts fewShot;
  private final Facts retrieval;
  private final Map<String, Picture> pictures;

  private EvaluationPage(Facts results, Map<String, Picture> pictures) {
    this.results = results;
    this.pictures = pictures;
    embedded = results.facts("embedded");
    verification = results.facts("verification");
    identification = results.facts("identification");
    fewShot = results.facts("fewShot");
    retrieval = results.facts("retrieval");
  }

  /**
   * The page.
   *
   * @param results what {@code evaluation.json} holds
   * @param pictures of the examples that are images, by name; pairs are shown with them
   */
  public static String html(Map<String, Object> results, Map<String, Picture> pictures) {
    return new EvaluationPage(new Facts(results), pictures).html();
  }

  private String html() {
    var parts = new LinkedHashMap<String, String>();
    parts.put("title", escape("Embeddings of " + results.text("data")));
    parts.put(
        "subtitle",
        escape(
            "Megaclass %s   %s examples   %s classes   dim %d"
                .formatted(
                    results.text("megaclass"),
                    count(embedded.whole("examples")),
                    count(embedded.whole("classes")),
                    embedded.whole("dim"))));
    parts.put("verification", attribute(verification));
    parts.put("identification", attribute(identification));
    parts.put("nearest", fewShot.values().isEmpty() ? attribute(retrieval) : "");
    parts.put("numbers", Page.numbers(numbers()));
    parts.put("command", escape(results.text("command")));
    parts.put("pairs", escape(pairCounts()));
    parts.put("rates", rateTable());
    parts.put("trials", count(identification.whole("trials")));
    parts.put("sizes", sizeTable());
    parts.put("others", otherTable());
    parts.put("confused", pairs(verification.list("confused")));
    parts.put("missed", pairs(verification.list("missed")));
    return Page.html("evaluation", parts, results.values());
  }

  /** A section that was not asked for is not shown. */
  private static String attribute(Facts measured) {
    return measured.values().isEmpty() ? "hidden" : "";
  }

  private Map<String, String> numbers() {
    var numbers = new LinkedHashMap<String, String>();
    if (verification.has("equalErrorRate")) {
      numbers.put("equal error rate", percent(verification.number("equalErrorRate"), 2));
      lastRate().ifPresent(rate -> numbers.put("TAR at FAR " + far(rate), tar(rate)));
    }
    var accuracy = verification.facts("accuracy");
    if (accuracy.has("mean")) {
      numbers.put("accuracy of ten folds", percent(accuracy.number("mean"), 2));
    }
    if (identification.has("sizes")) {
      var most = identification.list("sizes").getLast();
      numbers.put(
          "rank-1 among " + count(most.whole("distractors")), percent(most.number("rank1"), 2));
    }
    if (fewShot.has("accuracy")) {
      numbers.put(
          "%d-way %d-shot".formatted(fewShot.whole("ways"), fewShot.whole("shots")),
          percent(fewShot.number("accuracy"), 2));
    }
    if (retrieval.has("meanAveragePrecisionAtR")) {
      numbers.put("mAP@R", percent(retrieval.number("meanAveragePrecisionAtR"), 2));
    }
    return numbers;
  }

  /** That of the smallest false accept rate which the pairs can tell about. */
  private Optional<Facts> lastRate() {
    return verification.list("operatingPoints").stream()
        .filter(point -> point.has("trueAcceptRate"))
        .reduce((_, later) -> later);
  }

  private static String far(Facts point) {
    return String.format(Locale.ROOT, "%.0e", point.number("falseAcceptRate"));
  }

  private static String tar(Facts point) {
    return percent(point.number("trueAcceptRate"), 2);
  }

  private String pairCounts() {
    var accuracy = verification.facts("accuracy");
    return "%s pairs of one class and %s of different ones.%s"
        .formatted(
            count(verification.whole("samePairs")),
            count(verification.whole("differentPairs")),
            accuracy.has("mean")
                ? " Accuracy over ten folds %s, standard deviation %s."
                    .formatted(
                        percent(accuracy.number("mean"), 2),
                        percent(accuracy.number("deviation"), 2))
                : "");
  }

  private String rateTable() {
    var rows = new ArrayList<List<String>>();
    for (var point : verification.list("operatingPoints")) {
      rows.add(
          List.of(
              far(point),
              point.has("trueAcceptRate") ? tar(point) : "too few different pairs",
              interval(point, "trueAcceptRate"),
              point.has("threshold") ? decimal(point.number("threshold"), 4) : "-"));
    }
    for (var name : List.of("equalErrorRate", "area")) {
      if (verification.has(name)) {
        rows.add(
            List.of(
                name.equals("area") ? "area under the curve" : "equal error rate",
                percent(verification.number(name), 2),
                interval(verification, name),
                "-"));
      }
    }
    return table(
        List.of("false accept rate", "true accept rate", "95 % interval", "threshold"), rows);
  }

  private String sizeTable() {
    var rows = new ArrayList<List<String>>();
    for (var size : identification.list("sizes")) {
      var row = new ArrayList<>(List.of(count(size.whole("distractors"))));
      for (var rank : RANKS) {
        row.add(percent(size.number(rank), 2) + " " + interval(size, rank));
      }
      rows.add(row);
    }
    return table(List.of("distractors", "rank 1", "rank 5", "rank 10"), rows);
  }

  private String otherTable() {
    var rows = new ArrayList<List<String>>();
    if (fewShot.has("accuracy")) {
      rows.add(
          row(
              "accuracy, %d-way %d-shot, %s episodes"
                  .formatted(
                      fewShot.whole("ways"),
                      fewShot.whole("shots"),
                      count(fewShot.whole("episodes"))),
              fewShot,
              "accuracy"));
    }
    if (retrieval.has("meanAveragePrecisionAtR")) {
      rows.add(row("mAP@R", retrieval, "meanAveragePrecisionAtR"));
      rows.add(row("R-precision", retrieval, "precisionAtR"));
      for (var k : List.of(1, 5, 10)) {
        rows.add(row("recall@" + k, retrieval, "recallAt" + k));
      }
    }
    return table(List.of("measure", "value", "95 % interval"), rows);
  }

  private static List<String> row(String measure, Facts facts, String name) {
    return List.of(measure, percent(facts.number(name), 2), interval(facts, name));
  }

  private static String interval(Facts facts, String name) {
    return facts.has(name + "Low")
        ? "[%s, %s]"
            .formatted(
                decimal(100 * facts.number(name + "Low"), 2),
                decimal(100 * facts.number(name + "High"), 2))
        : "-";
  }

  /** Pairs of examples: pictures side by side where there are some, names in a table elsewhere. */
  private String pairs(List<Facts> pairs) {
    boolean drawn =
        pairs.stream()
            .flatMap(pair -> Stream.of(pair.text("first"), pair.text("second")))
            .allMatch(pictures::containsKey);
    return drawn && !pairs.isEmpty() ? pairGrid(pairs) : pairTable(pairs);
  }

  private String pairGrid(List<Facts> pairs) {
    return pairs.stream()
        .map(
            pair ->
                "<figure>%s%s<figcaption>%s<br>%s</figcaption></figure>"
                    .formatted(
                        picture(pair.text("first")),
                        picture(pair.text("second")),
                        decimal(pair.number("score"), 4),
                        classes(pair.text("firstClass"), pair.text("secondClass"))))
        .collect(Collectors.joining("\n", "<div class=\"pictures\">\n", "\n</div>"));
  }

  private String picture(String name) {
    return Objects.requireNonNull(pictures.get(name)).html(name);
  }

  private static String classes(String first, String second) {
    return first.equals(second) ? escape(first) : escape(first) + "<br>" + escape(second);
  }

  private static String pairTable(List<Facts> pairs) {
    var rows = new ArrayList<List<String>>();
    for (var pair : pairs) {
      rows.add(
          List.of(
              decimal(pair.number("score"), 4),
              pair.text("first"),
              pair.text("firstClass"),
              pair.text("second"),
              pair.text("secondClass")));
    }
    return table(List.of("score", "example", "its class", "example", "its class"), rows);
  }
}
