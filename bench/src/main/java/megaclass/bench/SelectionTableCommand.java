// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import megaclass.internal.AtomicFiles;
import megaclass.internal.InvalidFileException;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code megaclass bench selection table}: the measured part of a page, from the result file. */
@Command(
    name = "table",
    header = "writes the tables and plots of a result file into a page",
    synopsisHeading = "%n  ",
    customSynopsis = "megaclass bench selection table [flags]",
    sortOptions = false,
    footer = {
      "",
      "Examples",
      "  megaclass bench selection table",
      "  megaclass bench selection table --results more.jsonl --into more.md"
    })
final class SelectionTableCommand implements Callable<Integer> {
  private final Shell shell;

  @Option(names = "--results", paramLabel = "FILE.jsonl", description = "default ${DEFAULT-VALUE}")
  private Path results = Path.of(SelectionCommand.RESULTS);

  @Option(
      names = "--search-results",
      paramLabel = "FILE.json",
      description = "default ${DEFAULT-VALUE}; left out when there is none")
  private Path searchResults = Path.of(SearchCommand.RESULTS);

  @Option(
      names = "--into",
      paramLabel = "FILE.md",
      description = "page with the two marks between which it is written; default ${DEFAULT-VALUE}")
  private Path into = Path.of("docs/selection.md");

  @ArgGroup(validate = false, heading = "%nEverywhere%n")
  final Everywhere everywhere = new Everywhere();

  SelectionTableCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws IOException {
    Path page = shell.folder().resolve(into);
    if (!Files.exists(page)) {
      throw new InvalidFileException(page, "no such file");
    }
    var runs = SelectionResults.read(shell.folder().resolve(results));
    AtomicFiles.writeString(page, SelectionPage.update(page, Files.readString(page), runs));
    shell.print("wrote " + into);
    Path searched = shell.folder().resolve(searchResults);
    if (Files.exists(searched)) {
      var result = ResultFile.value(Files.readString(searched), SearchResult.class);
      AtomicFiles.writeString(page, SearchPage.update(page, Files.readString(page), result));
      write(SearchPage.IMAGE, SearchPage.image(result));
    }
    for (Map.Entry<String, String> image : SelectionPage.images(runs).entrySet()) {
      write(image.getKey(), image.getValue());
    }
    return Shell.DONE;
  }

  private void write(String name, String image) throws IOException {
    Path file = shell.folder().resolve(into).resolveSibling(name);
    Files.createDirectories(file.toAbsolutePath().getParent());
    AtomicFiles.writeString(file, image);
    shell.print("wrote " + into.resolveSibling(name));
  }
}
