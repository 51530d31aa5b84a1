// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code megaclass bench roofline}: the machine's limits, and how near to them each kernel is. */
@Command(
    name = "roofline",
    header = "measures what the machine can do, and each kernel of a step as a share of it",
    synopsisHeading = "%n  ",
    customSynopsis = "megaclass bench roofline [flags]",
    sortOptions = false,
    footer = {
      "",
      "Examples",
      "  megaclass bench roofline",
      "  megaclass bench roofline --dim 512 --name roofline-512"
    })
final class RooflineCommand implements Callable<Integer> {
  private final Shell shell;

  @Option(names = "--dim", paramLabel = "N", description = "default 128,512")
  private String dims = "128,512";

  @Option(
      names = "--repeats",
      paramLabel = "N",
      description = "fresh JVMs for each; default ${DEFAULT-VALUE}")
  private int repeats = 3;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "of the files NAME.json and NAME.md in bench/results; default ${DEFAULT-VALUE}")
  private String name = "roofline";

  @ArgGroup(validate = false, heading = "%nEverywhere%n")
  final Everywhere everywhere = new Everywhere();

  RooflineCommand(Shell shell) {
    this.shell = shell;
  }

  /** The kernels of {@code megaclass bench}, without its grid. */
  @Override
  public Integer call() {
    var words = new ArrayList<>(List.of("--only-kernels", "--dim=" + dims, "--name=" + name));
    words.add("--repeats=" + repeats);
    return shell.run(words.toArray(String[]::new));
  }
}
