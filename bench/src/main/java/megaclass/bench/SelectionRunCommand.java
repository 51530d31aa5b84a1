// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import megaclass.internal.Check;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code megaclass bench selection run}: trains what the result file does not have yet. */
@Command(
    name = "run",
    header = "trains with each way to select classes and adds the results to a file",
    synopsisHeading = "%n  ",
    customSynopsis = "megaclass bench selection run --data NAME [flags]",
    sortOptions = false,
    footer = {
      "",
      "What is in the file already is not run again: a comparison can be cut and goes on.",
      "",
      "Examples",
      "  megaclass bench selection run --data planted-100k --share 0.01 --seeds 1",
      "  megaclass bench selection run --data geonames --geonames cities500.txt --minutes 30"
    })
final class SelectionRunCommand implements Callable<Integer> {
  private static final String RUN_FOLDER = "runs/selection";

  private final Shell shell;

  @ArgGroup(validate = false, heading = "%nWhat to measure%n")
  private final What what = new What();

  @ArgGroup(validate = false, heading = "%nFrom what%n")
  private final From from = new From();

  @ArgGroup(validate = false, heading = "%nHow often%n")
  private final Effort effort = new Effort();

  @Option(
      names = "--results",
      paramLabel = "FILE.jsonl",
      description = "default ${DEFAULT-VALUE}",
      order = 1)
  private Path results = Path.of(SelectionCommand.RESULTS);

  @ArgGroup(validate = false, heading = "%nEverywhere%n")
  final Everywhere everywhere = new Everywhere();

  private static final class What {
    @Option(
        names = "--data",
        paramLabel = "NAME",
        required = true,
        split = ",",
        description = "planted-100k, planted-1m, lemmas, geonames, bible")
    private List<String> data = List.of();

    @Option(names = "--loss", paramLabel = "SPEC", split = ";", description = "only these")
    private @Nullable List<String> losses;

    @Option(names = "--share", paramLabel = "SHARE", split = ",", description = "only these")
    private @Nullable List<Double> shares;

    @Option(
        names = "--selector",
        paramLabel = "SPEC",
        split = ";",
        description = "only these, with r for the share, such as \"all;ivf(r)\"")
    private @Nullable List<String> methods;
  }

  private static final class From {
    @Option(
        names = "--geonames",
        paramLabel = "FILE",
        description = "cities500.txt of GeoNames, plain or .gz")
    private @Nullable Path geonames;

    @Option(
        names = "--bible",
        paramLabel = "FOLDER",
        description = "TRANSLATION.tsv files of verses, plain or .gz")
    private @Nullable Path bible;
  }

  private static final class Effort {
    @Option(names = "--seeds", paramLabel = "N", description = "default ${DEFAULT-VALUE}")
    private int seeds = 3;

    @Option(names = "--minutes", paramLabel = "N", description = "start no run after so many")
    private int minutes = Integer.MAX_VALUE;
  }

  SelectionRunCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() {
    Check.positive("seeds", effort.seeds);
    var files = new SelectionFiles(shell.folder(), from.geonames, from.bible);
    var sets = what.data.stream().map(SelectionData::of).toList();
    sets.forEach(files::check);
    var cells = new ArrayList<SelectionCell>();
    sets.forEach(data -> cells.addAll(SelectionGrid.cells(data, effort.seeds)));
    keep(cells, "loss", what.losses, SelectionCell::loss);
    keep(cells, "selector", what.methods, SelectionCell::method);
    if (what.shares != null) {
      var shares = new HashSet<>(what.shares);
      cells.removeIf(cell -> !cell.isExact() && !shares.contains(cell.share()));
    }
    return measure(cells, files) ? Shell.DONE : Shell.FAILED;
  }

  /** Removes cells that were not asked for; a wish that none of them fulfils is a mistake. */
  private static void keep(
      List<SelectionCell> cells,
      String name,
      @Nullable List<String> wanted,
      Function<SelectionCell, String> value) {
    if (wanted == null) {
      return;
    }
    var known = cells.stream().map(value).distinct().toList();
    for (String wish : wanted) {
      if (!known.contains(wish)) {
        throw new IllegalArgumentException(
            "%s \"%s\" is not compared here; expected one of%n  %s"
                .formatted(name, wish, String.join("\n  ", known)));
      }
    }
    cells.removeIf(cell -> !wanted.contains(value.apply(cell)));
  }

  private boolean measure(List<SelectionCell> cells, SelectionFiles files) {
    Path file = shell.folder().resolve(results);
    var measured =
        SelectionResults.read(file).stream().map(SelectionRun::cell).collect(Collectors.toSet());
    var left = cells.stream().filter(cell -> !measured.contains(cell)).toList();
    shell.print("%d runs, %d of them left".formatted(cells.size(), left.size()));
    var made = new HashSet<String>();
    Instant start = Instant.now();
    int failed = 0;
    for (int i = 0; i < left.size(); i++) {
      if (Duration.between(start, Instant.now()).toMinutes() >= effort.minutes) {
        shell.print("%d runs are left for another time".formatted(left.size() - i));
        break;
      }
      SelectionCell cell = left.get(i);
      if (made.add(cell.data())) {
        files.make(SelectionData.of(cell.data()));
      }
      failed += measure(cell, file, "%d/%d".formatted(i + 1, left.size())) ? 0 : 1;
    }
    return failed == 0;
  }

  /** Runs a cell; whether it worked. One that does not must not keep the others from running. */
  private boolean measure(SelectionCell cell, Path file, String place) {
    var data = SelectionData.of(cell.data());
    try {
      ChildJvm.launch(shell.folder(), words(data, cell));
    } catch (ChildJvm.FailedException e) {
      shell.print("%s  %s  failed: %s".formatted(place, cell, e.getMessage()));
      return false;
    }
    Path metrics = shell.folder().resolve(RUN_FOLDER).resolve("metrics.jsonl");
    var run = SelectionMetrics.read(metrics, cell, data.settings());
    SelectionResults.append(file, run);
    shell.print(
        "%s  %s  top-1 %s %%  %s s"
            .formatted(
                place, cell, Text.decimal(100 * run.tested().top1(), 2), Text.rate(run.seconds())));
    return true;
  }

  private static List<String> words(SelectionData data, SelectionCell cell) {
    var words = new ArrayList<>(List.of("train", SelectionFiles.train(data)));
    words.addAll(
        List.of(
            "--test=" + SelectionFiles.test(data),
            "--run-dir=" + RUN_FOLDER,
            "--force",
            "--quiet",
            "--loss=" + cell.loss(),
            "--selector=" + cell.selector(),
            "--epochs=" + cell.lengths() * data.epochs(),
            "--seed=" + cell.seed()));
    words.addAll(data.settings());
    return words;
  }
}
