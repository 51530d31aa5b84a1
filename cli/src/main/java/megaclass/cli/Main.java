// SPDX-License-Identifier: Apache-2.0
package megaclass.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code megaclass} command: hands the words of the command line to the verb they name. */
@Command(
    name = "megaclass",
    description = "Trains, evaluates and serves classifiers with a huge number of classes.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "VERB")
public final class Main {
  private Main() {}

  /**
   * Runs one verb and ends with its exit code: 0 done, 1 failed, 2 wrong usage, 3 bad input file.
   */
  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }
}
