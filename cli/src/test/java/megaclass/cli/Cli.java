// SPDX-License-Identifier: Apache-2.0
package megaclass.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A command line that was run in a folder, in this process.
 *
 * @param out all it printed, with {@code \n} at the end of lines
 * @param err all its errors
 */
public record Cli(int exitCode, String out, String err) {
  /** Runs a command line in a folder. */
  public static Cli run(Path folder, String... args) {
    return run(folder, "", Map.of(), args);
  }

  /** Runs a command line with standard input and environment variables. */
  public static Cli run(
      Path folder, String input, Map<String, String> environment, String... args) {
    return run(folder, input, environment, Main.VERBS, args);
  }

  /** Runs a command line of other verbs. */
  static Cli run(Path folder, List<Verb> verbs, String... args) {
    return run(folder, "", Map.of(), verbs, args);
  }

  private static Cli run(
      Path folder,
      String input,
      Map<String, String> environment,
      List<Verb> verbs,
      String... args) {
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    var console =
        new Console(
            new ByteArrayInputStream(input.getBytes(UTF_8)),
            new PrintStream(out, true, UTF_8),
            new PrintStream(err, true, UTF_8),
            false,
            folder,
            environment);
    int exitCode = new Shell(verbs, console).run(args);
    return new Cli(exitCode, text(out), text(err));
  }

  /** Writes a file of labelled texts: words that begin with the letters of their class. */
  public static Path writePairs(Path file, int numClasses, int examplesPerClass) {
    var lines =
        IntStream.range(0, numClasses * examplesPerClass)
            .mapToObj(i -> pair(i % numClasses, i / numClasses))
            .collect(Collectors.joining("\n", "", "\n"));
    return write(file, lines);
  }

  /** Writes a text file. */
  public static Path write(Path file, String text) {
    try {
      return Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The lines it printed. */
  public List<String> lines() {
    return out.lines().toList();
  }

  private static String pair(int classId, int example) {
    String stem = Integer.toString(1000 + classId * 37, 36);
    return "class %d\t%s%s".formatted(classId, stem.repeat(2), Integer.toString(example, 36));
  }

  private static String text(ByteArrayOutputStream bytes) {
    return bytes.toString(UTF_8).replace(System.lineSeparator(), "\n");
  }
}
