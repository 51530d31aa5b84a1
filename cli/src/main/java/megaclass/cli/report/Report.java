// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.report;

import static megaclass.cli.report.Page.escape;
import static megaclass.cli.report.Page.rows;
import static megaclass.cli.report.Page.table;
import static megaclass.cli.text.Quantity.bytes;
import static megaclass.cli.text.Quantity.count;
import static megaclass.cli.text.Quantity.decimal;
import static megaclass.cli.text.Quantity.duration;
import static megaclass.cli.text.Quantity.percent;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The report of a run as one HTML file. */
public final class Report {
  private static final int MOST_POINTS = 500;

  private final RunFacts run;

  private Report(RunFacts run) {
    this.run = run;
  }

  /**
   * The report.
   *
   * @param metrics the lines of the metrics file
   */
  public static String html(List<Map<String, Object>> metrics) {
    return new Report(RunFacts.of(metrics)).html();
  }

  private String html() {
    var parts = new LinkedHashMap<String, String>();
    parts.put("title", escape(run.started().text("run")));
    parts.put("subtitle", escape(subtitle()));
    parts.put("numbers", numbers());
    parts.put("command", escape(run.started().text("command")));
    parts.put("settings", rows(run.started().facts("settings")));
    parts.put("data", rows(dataFacts()));
    parts.put("hardware", rows(hardwareFacts()));
    parts.put("curve", curveTable());
    parts.put("chosen", escape(chosenSentence()));
    parts.put("choices", choiceTable());
    parts.put("masses", massTable());
    parts.put("times", timeTable());
    parts.put("deciles", decileTable());
    parts.put("memorySum", escape(memorySum()));
    parts.put("memory", memoryTable());
    return Page.html("report", parts, chartFacts());
  }

  private String subtitle() {
    return "Megaclass %s   %s   seed %s"
        .formatted(
            run.started().text("megaclass"),
            run.started().text("started").replace('T', ' ').replace("Z", " UTC"),
            run.started().text("seed"));
  }

  /** The final numbers, each with its name. */
  private String numbers() {
    var numbers = new LinkedHashMap<String, String>();
    var tested = run.tested();
    if (tested.has("top1")) {
      numbers.put("top-1 on held-out examples", percent(tested.number("top1"), 2));
      numbers.put("top-" + tested.text("k"), percent(tested.number("topK"), 2));
      numbers.put("loss over all classes, nats", decimal(tested.number("meanLoss"), 3));
    }
    numbers.put("classes", count(run.started().facts("train").whole("classes")));
    numbers.put("time of training", duration(run.finished().number("seconds")));
    numbers.put("examples a second", count(Math.round(run.examplesPerSecond())));
    numbers.put("model file", bytes(run.saved().whole("bytes")));
    return Page.numbers(numbers);
  }

  private Facts dataFacts() {
    var train = run.started().facts("train");
    var test = run.started().facts("test");
    var facts = new LinkedHashMap<String, String>();
    facts.put("training file", train.text("file"));
    facts.put("training examples", count(train.whole("examples")));
    facts.put("classes", count(train.whole("classes")));
    facts.put(
        "features",
        train.text("kind").equals("text") ? "text" : count(train.whole("featureDim")) + " numbers");
    facts.put("test file", test.has("file") ? test.text("file") : "none");
    facts.put("test examples", count(test.whole("examples")));
    facts.put("steps of an epoch", count(run.started().whole("stepsPerEpoch")));
    return new Facts(facts);
  }

  private Facts hardwareFacts() {
    var facts = new LinkedHashMap<String, Object>(run.started().facts("hardware").values());
    facts.put("compute", run.started().text("compute"));
    facts.put("threads", run.started().text("threads"));
    return new Facts(facts);
  }

  private String curveTable() {
    var rows = new ArrayList<List<String>>();
    for (var evaluated : run.evaluated()) {
      rows.add(
          List.of(
              count(evaluated.whole("step")),
              duration(evaluated.number("seconds")),
              percent(evaluated.number("top1"), 2),
              percent(evaluated.number("topK"), 2),
              decimal(evaluated.number("meanLoss"), 4)));
    }
    String topK =
        run.evaluated().isEmpty() ? "top-k" : "top-" + run.evaluated().getLast().text("k");
    return table(List.of("step", "time", "top-1", topK, "loss over all classes"), rows);
  }

  private String chosenSentence() {
    if (run.chosen().isEmpty()) {
      return "";
    }
    var last = run.chosen().getLast();
    return "A step chose %s of %s classes, %s for each sample; %s samples were looked at."
        .formatted(
            count(last.whole("numActive")),
            count(run.started().facts("train").whole("classes")),
            decimal(last.number("classesPerSample"), 1),
            count(last.whole("samples")));
  }

  private String choiceTable() {
    var rows = new ArrayList<List<String>>();
    for (var chosen : run.chosen()) {
      rows.add(
          List.of(
              count(chosen.whole("step")),
              percent(chosen.number("coveredMass"), 2),
              percent(chosen.number("selectionRecall"), 1),
              decimal(chosen.number("logZBias"), 3),
              decimal(chosen.number("gradientCosine"), 3),
              decimal(chosen.number("gradientError"), 3),
              count(chosen.whole("indexAge")),
              percent(chosen.number("drift"), 1)));
    }
    return table(
        List.of(
            "step",
            "covered mass",
            "recall of the ten best",
            "bias of log Z",
            "gradient cosine",
            "gradient error",
            "index age, steps",
            "drift"),
        rows);
  }

  private String massTable() {
    var headings = new ArrayList<>(List.of("step"));
    var rows = new ArrayList<List<String>>();
    for (var chosen : run.chosenAlongTheRun()) {
      var masses = chosen.facts("cumulativeMass").numbers();
      if (rows.isEmpty()) {
        masses.keySet().forEach(k -> headings.add("K = " + k));
      }
      var row = new ArrayList<>(List.of(count(chosen.whole("step"))));
      masses.values().forEach(mass -> row.add(percent(mass, 1)));
      rows.add(row);
    }
    return table(headings, rows);
  }

  private String timeTable() {
    var stages = run.finished().facts("stageSeconds").numbers();
    double all = stages.values().stream().mapToDouble(Double::doubleValue).sum();
    var rows = new ArrayList<List<String>>();
    stages.forEach(
        (stage, seconds) -> rows.add(List.of(stage, duration(seconds), percent(seconds / all, 1))));
    return table(List.of("stage", "time", "share"), rows);
  }

  private String decileTable() {
    var rows = new ArrayList<List<String>>();
    for (var decile : run.tested().list("frequencyDeciles")) {
      rows.add(
          List.of(
              range(decile),
              count(decile.whole("examples")),
              decile.has("top1") ? percent(decile.number("top1"), 2) : "-"));
    }
    return table(List.of("training examples of the class", "test examples", "top-1"), rows);
  }

  private String memoryTable() {
    var rows = new ArrayList<List<String>>();
    run.started()
        .facts("memory")
        .numbers()
        .forEach((term, size) -> rows.add(List.of(term, bytes(size.longValue()))));
    rows.add(List.of("limit", bytes(run.started().whole("memoryLimit"))));
    return table(List.of("term", "size"), rows);
  }

  private String memorySum() {
    var terms = run.started().facts("memory").numbers().values();
    double sum = terms.stream().mapToDouble(Double::doubleValue).sum();
    return bytes((long) sum)
        + " of the "
        + bytes(run.started().whole("memoryLimit"))
        + " there were";
  }

  /** What the charts are drawn from. */
  private Map<String, Object> chartFacts() {
    var facts = new LinkedHashMap<String, Object>();
    facts.put("loss", run.losses(MOST_POINTS));
    facts.put("top1", evaluations("top1"));
    facts.put("topK", evaluations("topK"));
    facts.put("k", run.tested().whole("k"));
    facts.put("coveredMass", choices("coveredMass"));
    facts.put("selectionRecall", choices("selectionRecall"));
    facts.put("gradientCosine", choices("gradientCosine"));
    facts.put("cumulativeMass", run.chosenAlongTheRun().stream().map(Report::masses).toList());
    facts.put("stages", run.finished().facts("stageSeconds").numbers());
    facts.put("memory", run.started().facts("memory").numbers());
    facts.put("memoryLimit", run.started().whole("memoryLimit"));
    facts.put("overall", run.tested().number("top1"));
    facts.put(
        "deciles",
        run.tested().list("frequencyDeciles").stream()
            .map(d -> Map.of("range", range(d), "top1", d.number("top1"), "n", d.whole("examples")))
            .toList());
    return facts;
  }

  private List<double[]> evaluations(String name) {
    return run.evaluated().stream()
        .map(e -> new double[] {e.number("seconds"), e.number(name)})
        .toList();
  }

  private List<double[]> choices(String name) {
    return run.chosen().stream().map(c -> new double[] {c.number("step"), c.number(name)}).toList();
  }

  /** The curve of CP_K at one step. */
  private static Map<String, Object> masses(Facts chosen) {
    var points = new ArrayList<double[]>();
    chosen
        .facts("cumulativeMass")
        .numbers()
        .forEach((k, mass) -> points.add(new double[] {Integer.parseInt(k), mass}));
    return Map.of("step", chosen.whole("step"), "points", points);
  }

  private static String range(Facts decile) {
    long from = decile.whole("minCount");
    long to = decile.whole("maxCount");
    return from == to ? count(from) : count(from) + "–" + count(to);
  }
}
