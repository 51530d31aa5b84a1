// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import megaclass.internal.Check;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code megaclass bench}: the grid and the kernels, each measurement in a fresh JVM. */
@Command(
    name = "bench",
    header = "megaclass bench: measures speed and memory of training, and the kernels",
    synopsisHeading = "%n  ",
    customSynopsis = {
      "megaclass bench [flags]",
      "  megaclass bench cell | evaluate | kernels | roofline | search | selection | table [flags]"
    },
    sortOptions = false,
    commandListHeading = "%nParts of it%n",
    footer = {
      "",
      "Examples",
      "  megaclass bench --quick --results target/bench",
      "  megaclass bench --only-grid --num-classes 100000 --loss \"cosface(scale=64, margin=0.4)\""
    })
final class GridCommand implements Callable<Integer> {
  private static final String RESULTS = "bench/results";

  private final Shell shell;
  private final List<String> words;

  @ArgGroup(validate = false, heading = "%nWhat to measure%n")
  private final What what = new What();

  @ArgGroup(validate = false, heading = "%nHow%n")
  private final RunOptions run = new RunOptions();

  @ArgGroup(validate = false, heading = "%nHow often%n")
  private final Effort effort = new Effort();

  @ArgGroup(validate = false, heading = "%nOutput%n")
  private final Output output = new Output();

  @ArgGroup(validate = false, heading = "%nEverywhere%n")
  final Everywhere everywhere = new Everywhere();

  private static final class What {
    @Option(names = "--only-grid", description = "not the kernels")
    private boolean onlyGrid;

    @Option(names = "--only-kernels", description = "not the grid")
    private boolean onlyKernels;

    @Option(
        names = "--num-classes",
        paramLabel = "N",
        split = ",",
        description = "default 100000,1000000, quick 2000")
    private @Nullable List<Integer> numClasses;

    @Option(
        names = "--dim",
        paramLabel = "N",
        split = ",",
        description = "default 128,512, quick 32")
    private @Nullable List<Integer> dims;

    @Option(
        names = "--selector",
        paramLabel = "SPEC",
        split = ";",
        description =
            "RATE in it stands for --num-active / classes; default \"all; uniform(0.1);"
                + " uniform(0.01)\"")
    private List<String> selectors = List.of("all", "uniform(0.1)", "uniform(0.01)");

    @Option(
        names = "--num-active",
        paramLabel = "N",
        description = "active classes where a selector has RATE; default ${DEFAULT-VALUE}")
    private int numActive = 1000;

    /** The selector for so many classes. */
    private String selector(String text, int numClasses) {
      Check.positive("num-active", numActive);
      double rate = Math.min(1.0, (double) numActive / numClasses);
      return text.strip().replace("RATE", String.valueOf(rate));
    }
  }

  private static final class Effort {
    @Option(
        names = "--repeats",
        paramLabel = "N",
        description = "fresh JVMs for each measurement, in turn; default 5, quick 1")
    private @Nullable Integer repeats;

    @Option(
        names = "--quick",
        description = "seconds in all: shows that it works, measures nothing")
    private boolean quick;
  }

  private static final class Output {
    @Option(names = "--results", paramLabel = "FOLDER", description = "default " + RESULTS)
    private @Nullable Path results;

    @Option(
        names = "--name",
        paramLabel = "NAME",
        description = "of the files NAME.json and NAME.md; default the date")
    private @Nullable String name;
  }

  GridCommand(Shell shell, List<String> words) {
    this.shell = shell;
    this.words = words;
  }

  @Override
  public Integer call() {
    if (what.onlyGrid && what.onlyKernels) {
      throw new IllegalArgumentException(
          "--only-grid and --only-kernels together leave nothing to measure; give one of them");
    }
    boolean quick = effort.quick;
    int repeats = effort.repeats != null ? effort.repeats : quick ? 1 : 5;
    var plan =
        new Measurement.Plan(
            Check.positive("repeats", repeats),
            run.warmUp(quick),
            run.measure(quick),
            !what.onlyKernels ? cells() : List.of(),
            !what.onlyGrid
                ? KernelCommand.words(dims(), run.threads, run.backend, quick)
                : List.of());
    var result =
        new BenchResult(
            BenchResult.VERSION,
            Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
            Shell.commandLine(words.stream().map(Program::withoutPaths).toList()),
            quick,
            false,
            Machine.read(),
            Program.read(),
            List.of(),
            List.of());
    return new Measurement(plan, result, json(), shell).run() ? Shell.DONE : Shell.FAILED;
  }

  /** All cells, of which those of one size follow each other. */
  private List<Cell> cells() {
    var cells = new ArrayList<Cell>();
    List<Integer> sizes =
        what.numClasses != null
            ? what.numClasses
            : effort.quick ? List.of(2000) : List.of(100_000, 1_000_000);
    for (int numClasses : sizes) {
      for (int dim : dims()) {
        for (String selector : what.selectors) {
          Cell cell = run.cell(numClasses, dim, what.selector(selector, numClasses));
          cell.data(); // both complain before anything is measured
          cell.config();
          cells.add(cell);
        }
      }
    }
    return cells;
  }

  private List<Integer> dims() {
    return what.dims != null ? what.dims : effort.quick ? List.of(32) : List.of(128, 512);
  }

  /** The result file, which does not exist yet. */
  private Path json() {
    Path results = output.results != null ? output.results : Path.of(RESULTS);
    if (output.results == null && !Files.isDirectory(shell.folder().resolve(results))) {
      throw new IllegalArgumentException(
          "there is no folder %s here; run this in the root of the repository, or give --results"
              .formatted(RESULTS));
    }
    String today = LocalDate.now(ZoneOffset.UTC) + (effort.quick ? "-quick" : "");
    String name = output.name != null ? output.name : today;
    Path json = results.resolve(name + ".json");
    if (Files.exists(shell.folder().resolve(json))) {
      throw new IllegalArgumentException(
          "%s exists, and results are never overwritten; give another --name".formatted(json));
    }
    return json;
  }
}
