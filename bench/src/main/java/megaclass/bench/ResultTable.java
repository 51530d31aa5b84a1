// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static megaclass.bench.Text.count;
import static megaclass.bench.Text.decimal;
import static megaclass.bench.Text.mebibytes;
import static megaclass.bench.Text.percent;
import static megaclass.bench.Text.rate;
import static megaclass.bench.Text.spread;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import megaclass.bench.BenchResult.CellResult;

/** A result file as a page to read, in Markdown. The same page for the same result. */
final class ResultTable {
  private static final String NONE = "-";

  private final BenchResult result;
  private final List<String> lines = new ArrayList<>();

  private ResultTable(BenchResult result) {
    this.result = result;
  }

  /**
   * The page of a result.
   *
   * @param name of the result file, without its ending
   */
  static String of(BenchResult result, String name) {
    var table = new ResultTable(result);
    table.addHead(name);
    if (!result.cells().isEmpty()) {
      table.addTraining();
      table.addStages();
      table.addConditions();
    }
    if (!result.kernelRuns().isEmpty()) {
      table.addKernels();
    }
    return String.join("\n", table.lines) + "\n";
  }

  private void addHead(String name) {
    Machine machine = result.machine();
    Program program = result.program();
    add("# " + name, "");
    add("Made from [%s.json](%s.json); do not edit.".formatted(name, name), "");
    if (result.quick()) {
      add(
          "**A quick run: it shows that the benchmark works, its numbers compare to nothing.**",
          "");
    }
    if (!result.complete()) {
      add("**Ended early: some measurements are missing.**", "");
    }
    add("```", result.command(), "```", "");
    add("| | |", "|---|---|");
    add("| date | %s |".formatted(result.date()));
    add("| commit | %s |".formatted(program.commit()));
    add(
        "| processor | %s, %d cores, %s |"
            .formatted(machine.cpu(), machine.cores(), String.join(", ", machine.caches())));
    add(
        "| memory | %s, huge pages %s |"
            .formatted(mebibytes(machine.memoryBytes()), machine.hugePages()));
    add("| system | %s |".formatted(machine.system()));
    add("| load before | %s |".formatted(decimal(machine.load(), 2)));
    add("| java | %s, %s |".formatted(program.java(), program.vm()));
    add("| options | `%s` |".formatted(String.join(" ", program.options())), "");
  }

  private void addTraining() {
    add("## Training", "");
    addSettings();
    add(
        """
        Median (lowest - highest) of fresh JVMs, one a repeat, in turn between the selectors. GF/s counts
        the three matrix products of a step, 6 x active x dim a sample; tiles that are computed twice
        count once. Peak memory is that of the whole process with its data; the forecast is what
        `megaclass plan` computes.
        """);
    row(
        "classes",
        "dim",
        "selector",
        "active",
        "samples/s",
        "against all",
        "GF/s",
        "peak memory",
        "forecast");
    row("--:", "--:", "---", "--:", "--:", "--:", "--:", "--:", "--:");
    for (CellResult cell : result.cells()) {
      if (cell.runs().isEmpty()) {
        rowOf(cell, cell.leftOut(), NONE, NONE, NONE, NONE, NONE);
      } else {
        addCell(cell);
      }
    }
    add("");
  }

  /** What all cells of a command have in common. */
  private void addSettings() {
    result.cells().stream()
        .map(CellResult::cell)
        .map(
            cell ->
                "Loss `%s`, optimizer `%s`, batch %d, threads %d, backend %s, seed %d."
                    .formatted(
                        cell.loss(),
                        cell.optimizer(),
                        cell.batchSize(),
                        cell.threads(),
                        cell.backend(),
                        cell.seed()))
        .distinct()
        .forEach(settings -> add(settings, ""));
  }

  private void addCell(CellResult cell) {
    CellRun last = cell.runs().getLast();
    double speed = of(cell, CellRun::samplesPerSecond).median();
    double gigaflops = 6e-9 * last.numActive() * cell.cell().dim() * speed;
    rowOf(
        cell,
        count(last.numActive()),
        spread(of(cell, CellRun::samplesPerSecond)),
        againstAll(cell, speed),
        rate(gigaflops),
        mebibytes(Math.round(of(cell, CellRun::peakRssBytes).max())),
        mebibytes(last.plannedBytes()));
  }

  private void rowOf(CellResult result, String... values) {
    var cells = start(result);
    cells.addAll(List.of(values));
    row(cells.toArray(String[]::new));
  }

  /** How many times as fast as the exact softmax of the same size. */
  private String againstAll(CellResult of, double speed) {
    Cell cell = of.cell();
    return result.cells().stream()
        .filter(other -> !other.runs().isEmpty())
        .filter(other -> other.cell().selector().equals("all"))
        .filter(other -> other.cell().numClasses() == cell.numClasses())
        .filter(other -> other.cell().dim() == cell.dim())
        .findFirst()
        .map(all -> rate(speed / of(all, CellRun::samplesPerSecond).median()) + " x")
        .orElse(NONE);
  }

  private void addStages() {
    add("## Where the time of a step goes", "", "Median of the repeats.", "");
    var stages = new LinkedHashSet<String>();
    measured().forEach(cell -> stages.addAll(cell.runs().getFirst().stageSeconds().keySet()));
    var head = new ArrayList<>(List.of("classes", "dim", "selector", "ms a step"));
    head.addAll(stages);
    row(head.toArray(String[]::new));
    row(
        head.stream()
            .map(column -> column.equals("selector") ? "---" : "--:")
            .toArray(String[]::new));
    for (CellResult cell : measured()) {
      var values = start(cell);
      values.add(rate(of(cell, run -> 1e3 * run.seconds() / run.steps()).median()));
      for (String stage : stages) {
        values.add(
            percent(
                of(cell, run -> run.stageSeconds().getOrDefault(stage, 0.0) / run.seconds())
                    .median()));
      }
      row(values.toArray(String[]::new));
    }
    add("");
  }

  private void addConditions() {
    add("## Under which conditions", "");
    add(
        """
        Not in the numbers above: making the data, filling the class weights, warming up. A core's share
        below 90 % says that threads waited or that the machine was busy. Medians; the loss is the last
        repeat's.
        """);
    row(
        "classes",
        "dim",
        "selector",
        "repeats",
        "steps",
        "seconds",
        "data s",
        "weights s",
        "warm-up steps",
        "warm-up s",
        "core's share",
        "loss",
        "computed by");
    row("--:", "--:", "---", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "---");
    for (CellResult cell : measured()) {
      var values = start(cell);
      values.add(String.valueOf(cell.runs().size()));
      values.add(count(Math.round(of(cell, CellRun::steps).median())));
      values.add(rate(of(cell, CellRun::seconds).median()));
      values.add(rate(of(cell, run -> run.warmUp().dataSeconds()).median()));
      values.add(rate(of(cell, run -> run.warmUp().initialSeconds()).median()));
      values.add(count(Math.round(of(cell, run -> run.warmUp().steps()).median())));
      values.add(rate(of(cell, run -> run.warmUp().seconds()).median()));
      values.add(percent(of(cell, CellRun::cpuShare).median()));
      values.add(decimal(cell.runs().getLast().loss(), 3));
      values.add(cell.runs().getLast().backend());
      row(values.toArray(String[]::new));
    }
    add("");
  }

  private void addKernels() {
    var bySize = new LinkedHashMap<String, List<KernelRun>>();
    for (KernelRun run : result.kernelRuns()) {
      String threads = run.threads() == 1 ? "1 thread" : run.threads() + " threads";
      String size = "dim %d, %s, %s".formatted(run.dim(), threads, run.backend());
      bySize.computeIfAbsent(size, _ -> new ArrayList<>()).add(run);
    }
    add("## Kernels", "");
    add(
        """
        Tiles of 128 classes with 256 samples, as the softmax head cuts them. Median (lowest - highest)
        of fresh JVMs. The share is of the peak in the last column, measured in the same rounds.
        """);
    for (Map.Entry<String, List<KernelRun>> size : bySize.entrySet()) {
      add("### " + size.getKey(), "");
      row("kernel", "unit", "rate", "share", "of the peak");
      row("---", "---", "--:", "--:", "---");
      List<KernelRun> runs = size.getValue();
      for (int k = 0; k < runs.getFirst().rates().size(); k++) {
        int kernel = k;
        KernelRun.Rate first = runs.getFirst().rates().get(k);
        Spread rates = of(runs, run -> run.rates().get(kernel).rate());
        Spread shares = of(runs, run -> run.rates().get(kernel).share());
        row(
            first.kernel(),
            first.unit(),
            spread(rates),
            first.share() == 0 ? NONE : percent(shares.median()),
            first.share() == 0 ? NONE : peak(first));
      }
      add("");
    }
  }

  /** Results from before 2026-11-22 do not name it, and had but these two. */
  private static String peak(KernelRun.Rate rate) {
    String unnamed = rate.unit().equals("GF/s") ? Peaks.FMA : Peaks.COPY;
    return Objects.requireNonNullElse(rate.peak(), unnamed).replace("peak: ", "");
  }

  private List<CellResult> measured() {
    return result.cells().stream().filter(cell -> !cell.runs().isEmpty()).toList();
  }

  private static List<String> start(CellResult result) {
    Cell cell = result.cell();
    return new ArrayList<>(
        List.of(count(cell.numClasses()), String.valueOf(cell.dim()), "`" + cell.selector() + "`"));
  }

  private static Spread of(CellResult cell, ToDoubleFunction<CellRun> value) {
    return of(cell.runs(), value);
  }

  private static <T> Spread of(List<T> runs, ToDoubleFunction<T> value) {
    return Spread.of(runs.stream().mapToDouble(value).toArray());
  }

  private void row(String... cells) {
    add("| " + String.join(" | ", cells) + " |");
  }

  private void add(String... more) {
    lines.addAll(List.of(more));
  }
}
