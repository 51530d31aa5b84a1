// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static megaclass.bench.Text.count;
import static megaclass.bench.Text.mebibytes;
import static megaclass.bench.Text.percent;
import static megaclass.bench.Text.rate;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import megaclass.bench.BenchResult.CellResult;

/**
 * Runs the children of one command, one at a time, and writes the result file after each of them.
 * Cells of one size take turns, so that what the machine does meanwhile hits all of them alike.
 */
final class Measurement {
  /**
   * What is to be measured.
   *
   * @param repeats fresh JVMs for each measurement
   * @param cells those of one size follow each other
   * @param kernelWords command line of a child that measures the kernels; empty for none
   */
  record Plan(
      int repeats, Duration warmUp, Duration measure, List<Cell> cells, List<String> kernelWords) {}

  private final Plan plan;
  private final BenchResult head;
  private final Path json;
  private final Shell shell;
  private final Map<Cell, List<CellRun>> cellRuns = new LinkedHashMap<>();
  private final Map<Cell, String> leftOut = new LinkedHashMap<>();
  private final List<KernelRun> kernelRuns = new ArrayList<>();
  private int failures;
  private int done;

  /** Measures into a file that {@code head}, which has no measurements yet, begins. */
  Measurement(Plan plan, BenchResult head, Path json, Shell shell) {
    this.plan = plan;
    this.head = head;
    this.json = json;
    this.shell = shell;
    plan.cells.forEach(cell -> cellRuns.put(cell, new ArrayList<>()));
  }

  /** Measures; returns whether every child did its work. */
  boolean run() {
    createFolder();
    shell.print(head.command());
    shell.print(
        "%s, %d cores, load %s, commit %s%n"
            .formatted(
                head.machine().cpu(),
                head.machine().cores(),
                Text.decimal(head.machine().load(), 2),
                head.program().commit()));
    var sizes = new LinkedHashMap<List<Integer>, List<Cell>>();
    for (Cell cell : plan.cells) {
      var size = List.of(cell.numClasses(), cell.dim());
      sizes.computeIfAbsent(size, _ -> new ArrayList<>()).add(cell);
    }
    for (List<Cell> ofOneSize : sizes.values()) {
      for (int repeat = 0; repeat < plan.repeats; repeat++) {
        ofOneSize.forEach(this::measure);
      }
    }
    for (int repeat = 0; repeat < plan.repeats && !plan.kernelWords.isEmpty(); repeat++) {
      measureKernels();
    }
    write(true);
    shell.print("%nwrote %s and %s".formatted(json, ResultFile.tableOf(json)));
    return failures == 0;
  }

  private void createFolder() {
    try {
      Files.createDirectories(
          Objects.requireNonNull(shell.folder().resolve(json).toAbsolutePath().getParent()));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make the folder of %s: %s".formatted(json, e), e);
    }
  }

  private void measure(Cell cell) {
    long available = Machine.availableBytes();
    if (available > 0 && cell.plannedBytes() > available) {
      leaveOut(
          cell,
          "needs %s, but %s are free"
              .formatted(mebibytes(cell.plannedBytes()), mebibytes(available)));
      return;
    }
    try {
      var words = RunOptions.words(cell, plan.warmUp, plan.measure);
      CellRun run = ResultFile.value(ChildJvm.run(words), CellRun.class);
      runsOf(cell).add(run);
      report(
          cell,
          "%s samples/s   peak %s   core's share %s"
              .formatted(
                  rate(run.samplesPerSecond()),
                  mebibytes(run.peakRssBytes()),
                  percent(run.cpuShare())));
    } catch (ChildJvm.FailedException e) {
      failures++;
      leaveOut(cell, "failed: " + e.getMessage());
    }
    write(false);
  }

  private void leaveOut(Cell cell, String why) {
    leftOut.put(cell, why);
    report(cell, why);
  }

  private List<CellRun> runsOf(Cell cell) {
    return cellRuns.computeIfAbsent(cell, _ -> new ArrayList<>());
  }

  private void report(Cell cell, String what) {
    shell.print(
        "%s %9s classes   dim %4d   %-32s %s"
            .formatted(turn(), count(cell.numClasses()), cell.dim(), cell.selector(), what));
  }

  private String turn() {
    int all = plan.repeats * (plan.cells.size() + (plan.kernelWords.isEmpty() ? 0 : 1));
    return "%4d/%d".formatted(++done, all);
  }

  private void measureKernels() {
    try {
      var runs = ResultFile.value(ChildJvm.run(plan.kernelWords), KernelRun[].class);
      kernelRuns.addAll(List.of(runs));
      shell.print("%s kernels".formatted(turn()));
    } catch (ChildJvm.FailedException e) {
      failures++;
      shell.print("%s kernels failed: %s".formatted(turn(), e.getMessage()));
    }
    write(false);
  }

  private void write(boolean complete) {
    var cells =
        cellRuns.entrySet().stream()
            .map(
                entry ->
                    new CellResult(
                        entry.getKey(),
                        List.copyOf(entry.getValue()),
                        leftOut.getOrDefault(entry.getKey(), "")))
            .toList();
    var result =
        new BenchResult(
            head.version(),
            head.date(),
            head.command(),
            head.quick(),
            complete && failures == 0,
            head.machine(),
            head.program(),
            cells,
            List.copyOf(kernelRuns));
    ResultFile.write(result, shell.folder().resolve(json));
  }
}
