// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import megaclass.internal.AtomicFiles;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code megaclass bench search}: what indexes find, and how long it takes them. */
@Command(
    name = "search",
    header = "measures recall and time of the class indexes in this JVM",
    synopsisHeading = "%n  ",
    customSynopsis = "megaclass bench search [flags]",
    sortOptions = false,
    footer = {
      "",
      "Examples",
      "  megaclass bench search",
      "  megaclass bench search --num-classes 1000000 --results more.json"
    })
final class SearchCommand implements Callable<Integer> {
  /** Where the result is, unless a flag says otherwise. */
  static final String RESULTS = "bench/results/search.json";

  private final Shell shell;

  @Option(names = "--num-classes", paramLabel = "N", description = "default ${DEFAULT-VALUE}")
  private int numClasses = 100_000;

  @Option(names = "--dim", paramLabel = "N", description = "default ${DEFAULT-VALUE}")
  private int dim = 128;

  @Option(names = "--threads", paramLabel = "N", description = "default all cores")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--warm-up",
      paramLabel = "SECONDS",
      description = "before each measurement; default ${DEFAULT-VALUE}")
  private double warmUpSeconds = 1;

  @Option(names = "--results", paramLabel = "FILE.json", description = "default ${DEFAULT-VALUE}")
  private Path results = Path.of(RESULTS);

  @ArgGroup(validate = false, heading = "%nEverywhere%n")
  final Everywhere everywhere = new Everywhere();

  SearchCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws IOException {
    try (var bench = new SearchBench(numClasses, dim, threads, warmUpSeconds)) {
      SearchResult result = bench.run();
      for (SearchRun run : result.runs()) {
        shell.print(
            "%-18s %-36s recall %5.1f %%   %8.1f us a sample"
                .formatted(run.index(), run.effort(), 100 * run.recall(), run.micros().median()));
      }
      Path file = shell.folder().resolve(results);
      Files.createDirectories(file.toAbsolutePath().getParent());
      AtomicFiles.writeString(file, ResultFile.text(result) + "\n");
      shell.print("wrote " + results);
    }
    return Shell.DONE;
  }
}
