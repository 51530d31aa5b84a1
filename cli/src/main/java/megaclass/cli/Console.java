// SPDX-License-Identifier: Apache-2.0
package megaclass.cli;

import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;

/**
 * What a verb sees of the world around it; tests give their own.
 *
 * @param out for results
 * @param err for errors
 * @param terminal whether a person watches, so that lines may be rewritten
 * @param folder against which paths are resolved
 * @param environment variables by name
 */
public record Console(
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean terminal,
    Path folder,
    Map<String, String> environment) {

  /** The console of this process. */
  @SuppressWarnings("SystemConsoleNull") // it is null again since JDK 25 where no terminal is
  static Console ofProcess() {
    var console = System.console();
    return new Console(
        System.in,
        System.out,
        System.err,
        console != null && console.isTerminal(),
        Path.of(""),
        System.getenv());
  }

  /** The file that a text given by the user names. */
  public Path path(String text) {
    return folder.resolve(text);
  }

  /** Prints a line of the result. */
  public void print(String line) {
    out.println(line);
    out.flush();
  }
}
