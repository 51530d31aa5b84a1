// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code megaclass bench table}: the pages of result files anew. */
@Command(
    name = "table",
    header = "makes the page NAME.md of each result file NAME.json anew",
    synopsisHeading = "%n  ",
    customSynopsis = "megaclass bench table FILE...",
    parameterListHeading = "%nWhat%n",
    sortOptions = false,
    footer = {
      "",
      "Examples",
      "  megaclass bench table bench/results/*.json",
      "  megaclass bench table --help"
    })
final class TableCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "FILE", arity = "1..*", description = "result files, NAME.json")
  private List<Path> files = List.of();

  @ArgGroup(validate = false, heading = "%nEverywhere%n")
  final Everywhere everywhere = new Everywhere();

  TableCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() {
    for (Path file : files) {
      Path json = shell.folder().resolve(file);
      ResultFile.write(ResultFile.read(json), json);
      shell.print("wrote " + ResultFile.tableOf(file));
    }
    return Shell.DONE;
  }
}
