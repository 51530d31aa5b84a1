// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import megaclass.internal.InvalidFileException;
import megaclass.internal.Nearest;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Reads a command line, runs its verb and puts into words what goes wrong.
 *
 * @param out for results
 * @param err for errors
 * @param folder against which paths are resolved
 */
record Shell(PrintWriter out, PrintWriter err, Path folder) {
  static final int DONE = 0;
  static final int FAILED = 1;
  static final int WRONG_USAGE = 2;
  static final int BAD_INPUT_FILE = 3;
  private static final String DEBUG = "--debug";

  /** The shell of this process. */
  static Shell ofProcess() {
    return new Shell(
        new PrintWriter(System.out, true, Charset.defaultCharset()),
        new PrintWriter(System.err, true, Charset.defaultCharset()),
        Path.of(""));
  }

  /** Runs a command line; returns the exit code. Nothing is thrown. */
  int run(String... args) {
    boolean debug = List.of(args).contains(DEBUG);
    return new CommandLine(new GridCommand(this, List.of(args)))
        .addSubcommand(new CellCommand(this))
        .addSubcommand(new KernelCommand(this))
        .addSubcommand(new RooflineCommand(this))
        .addSubcommand(new TableCommand(this))
        .addSubcommand(new SearchCommand(this))
        .addSubcommand(new EvaluateCommand(this))
        .addSubcommand(
            new CommandLine(new SelectionCommand())
                .addSubcommand(new SelectionRunCommand(this))
                .addSubcommand(new SelectionTableCommand(this)))
        .setOut(out)
        .setErr(err)
        .setUsageHelpWidth(100)
        .setParameterExceptionHandler((e, _) -> wrongUsage(e, debug))
        .setExecutionExceptionHandler((e, _, _) -> fail(e, debug))
        .execute(args);
  }

  private int wrongUsage(ParameterException e, boolean debug) {
    Throwable cause =
        switch (e) {
          case UnmatchedArgumentException u -> new IllegalArgumentException(unknown(u), u);
          case ParameterException p when p.getCause() instanceof IllegalArgumentException r -> r;
          default -> e;
        };
    print(cause, debug);
    return WRONG_USAGE;
  }

  private static String unknown(UnmatchedArgumentException e) {
    String word = e.getUnmatched().getFirst().replaceFirst("=.*", "");
    var known = new ArrayList<>(e.getCommandLine().getSubcommands().keySet());
    known.addAll(e.getCommandLine().getCommandSpec().optionsMap().keySet());
    return "unknown word "
        + word
        + Nearest.to(word, known)
            .map(", did you mean %s?"::formatted)
            .orElse("; megaclass bench --help shows what there is");
  }

  private int fail(Exception e, boolean debug) {
    print(e, debug);
    return switch (e) {
      case InvalidFileException _ -> BAD_INPUT_FILE;
      case IllegalArgumentException _ -> WRONG_USAGE;
      default -> FAILED;
    };
  }

  private void print(Throwable e, boolean debug) {
    boolean expected =
        e instanceof ParameterException
            || e instanceof UncheckedIOException
            || e instanceof IllegalArgumentException
            || e instanceof ArithmeticException
            || e instanceof ChildJvm.FailedException;
    err.println(
        "megaclass: "
            + (expected
                ? e.getMessage()
                : "unexpected error: %s; --debug shows where. Please report it".formatted(e)));
    if (debug) {
      Stream.of(e.getStackTrace()).forEach(frame -> err.println("\tat " + frame));
    }
    err.flush();
  }

  /** A line of the result, at once. */
  void print(String line) {
    out.println(line);
    out.flush();
  }

  /** The command line as a shell takes it. */
  static String commandLine(List<String> words) {
    return Stream.concat(Stream.of("megaclass", "bench"), words.stream().map(Shell::quoted))
        .collect(Collectors.joining(" "));
  }

  private static String quoted(String word) {
    return word.matches("[\\w./:=@%+,-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
