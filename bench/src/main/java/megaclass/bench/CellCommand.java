// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code megaclass bench cell}: one cell in this JVM, for the grid or under a profiler. */
@Command(
    name = "cell",
    header = "measures one cell of the grid in this JVM and prints it as JSON",
    synopsisHeading = "%n  ",
    customSynopsis = "megaclass bench cell --num-classes N --dim N [flags]",
    optionListHeading = "%nWhat to measure%n",
    sortOptions = false,
    footer = {
      "",
      "Examples",
      "  megaclass bench cell --num-classes 100000 --dim 128",
      "  megaclass bench cell --num-classes 100000 --dim 128 --selector \"uniform(0.1)\""
    })
final class CellCommand implements Callable<Integer> {
  private final Shell shell;

  @Option(names = "--num-classes", paramLabel = "N", required = true, description = "classes")
  private int numClasses;

  @Option(names = "--dim", paramLabel = "N", required = true, description = "floats a row")
  private int dim;

  @Option(names = "--selector", paramLabel = "SPEC", description = "default ${DEFAULT-VALUE}")
  private String selector = "all";

  @ArgGroup(validate = false, heading = "%nHow%n")
  private final RunOptions run = new RunOptions();

  @ArgGroup(validate = false, heading = "%nEverywhere%n")
  final Everywhere everywhere = new Everywhere();

  CellCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() {
    Cell cell = run.cell(numClasses, dim, selector);
    CellRun measured =
        CellBench.run(
            cell, TimeSpan.seconds(run.warmUp(false)), TimeSpan.seconds(run.measure(false)));
    shell.print(ResultFile.text(measured));
    return Shell.DONE;
  }
}
