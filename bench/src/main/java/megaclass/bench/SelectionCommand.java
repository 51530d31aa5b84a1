// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;

/** {@code megaclass bench selection}: ways to select classes, measured on the same work. */
@Command(
    name = "selection",
    header = "compares ways to select classes by accuracy and time",
    synopsisHeading = "%n  ",
    customSynopsis = "megaclass bench selection run | table [flags]",
    sortOptions = false,
    commandListHeading = "%nParts of it%n",
    footer = {
      "",
      "Examples",
      "  megaclass bench selection run --data planted-100k --share 0.01",
      "  megaclass bench selection table"
    })
final class SelectionCommand implements Callable<Integer> {
  /** Where results are, unless a flag says otherwise. */
  static final String RESULTS = "bench/results/selection.jsonl";

  @ArgGroup(validate = false, heading = "%nEverywhere%n")
  final Everywhere everywhere = new Everywhere();

  @Override
  public Integer call() {
    throw new IllegalArgumentException(
        "expected what to do: megaclass bench selection run, or table");
  }
}
