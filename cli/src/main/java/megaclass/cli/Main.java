// SPDX-License-Identifier: Apache-2.0
package megaclass.cli;

import java.util.List;
import megaclass.cli.verb.TrainVerb;

/** The {@code megaclass} command: hands the words of the command line to the verb they name. */
public final class Main {
  private Main() {}

  /** Runs one verb and ends with its exit code, see {@link ExitCode}. */
  public static void main(String[] args) {
    System.exit(run(Console.ofProcess(), args));
  }

  /** Runs one verb and returns its exit code. */
  static int run(Console console, String... args) {
    return new Shell(List.of(new TrainVerb()), console).run(args);
  }
}
