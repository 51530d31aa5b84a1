// SPDX-License-Identifier: Apache-2.0
package megaclass.cli;

import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import megaclass.cli.settings.InvalidSettingException;
import megaclass.cli.settings.Setting;
import megaclass.cli.settings.Settings.Given;
import megaclass.internal.InvalidFileException;
import megaclass.internal.Nearest;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Reads a command line, runs the verb it names and puts into words what goes wrong. */
final class Shell {
  private static final String DEBUG = "--debug";
  private static final String HELP = "--help";
  private static final String VERSION = "--version";

  private final List<Verb> verbs;
  private final Console console;

  Shell(List<Verb> verbs, Console console) {
    this.verbs = verbs;
    this.console = console;
  }

  /** Runs a command line; returns the exit code. Nothing is thrown. */
  int run(String... args) {
    boolean debug = List.of(args).contains(DEBUG);
    try {
      return runVerb(args);
    } catch (UsageException | InvalidSettingException e) {
      boolean usage = !(e instanceof InvalidSettingException setting) || setting.isFlag();
      return fail(e, debug, usage ? ExitCode.WRONG_USAGE : ExitCode.BAD_INPUT_FILE);
    } catch (InvalidFileException e) {
      return fail(e, debug, ExitCode.BAD_INPUT_FILE);
    } catch (RuntimeException | OutOfMemoryError e) {
      return fail(e, debug, ExitCode.FAILED);
    }
  }

  private int runVerb(String[] args) {
    var words = Stream.of(args).filter(word -> !word.equals(DEBUG)).toList();
    if (words.isEmpty() || words.getFirst().equals(HELP) || words.equals(List.of("help"))) {
      console.print(Help.ofAll(verbs));
      return words.isEmpty() ? ExitCode.WRONG_USAGE : ExitCode.DONE;
    }
    if (words.getFirst().equals(VERSION)) {
      console.print("megaclass " + BuildInfo.version());
      return ExitCode.DONE;
    }
    boolean help = words.getFirst().equals("help");
    var verb = verb(words.get(help ? 1 : 0));
    var rest = words.subList(1, words.size());
    if (help || rest.contains(HELP)) {
      console.print(Help.of(verb));
      return ExitCode.DONE;
    }
    return verb.run(parse(verb, rest), console);
  }

  private Verb verb(String name) {
    var names = verbs.stream().map(Verb::name).toList();
    return verbs.stream()
        .filter(verb -> verb.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new UsageException("unknown verb " + name + hint(name, names, "verbs")));
  }

  private static Arguments parse(Verb verb, List<String> words) {
    var spec = CommandSpec.create().name("megaclass " + verb.name());
    spec.addPositional(
        PositionalParamSpec.builder()
            .arity("0..*")
            .type(List.class)
            .auxiliaryTypes(String.class)
            .build());
    for (var setting : verb.flags()) {
      boolean isSwitch = setting.form() == Setting.Form.SWITCH;
      spec.addOption(
          OptionSpec.builder(setting.flag())
              .arity(isSwitch ? "0" : "1")
              .type(isSwitch ? boolean.class : String.class)
              .build());
    }
    try {
      var parser = new CommandLine(spec);
      return arguments(verb, words, parser.parseArgs(words.toArray(String[]::new)));
    } catch (UnmatchedArgumentException e) {
      var flags = verb.flags().stream().map(Setting::flag).toList();
      String word = e.getUnmatched().getFirst().replaceFirst("=.*", "");
      throw new UsageException(
          "unknown flag " + word + " of megaclass " + verb.name() + hint(word, flags, "flags"));
    } catch (MissingParameterException e) {
      throw new UsageException(flag(e.getMissing()) + " needs a value");
    } catch (OverwrittenOptionException e) {
      throw new UsageException(flag(List.of(e.getOverwritten())) + " is given more than once");
    } catch (ParameterException e) {
      throw new UsageException(Objects.requireNonNull(e.getMessage()));
    }
  }

  private static Arguments arguments(Verb verb, List<String> words, ParseResult parsed) {
    Map<Setting<?>, Given> flags = new LinkedHashMap<>();
    for (var setting : verb.flags()) {
      if (parsed.hasMatchedOption(setting.flag())) {
        Object value = parsed.matchedOptionValue(setting.flag(), "");
        flags.put(setting, new Given(String.valueOf(value), setting.flag(), true));
      }
    }
    List<String> positionals = parsed.matchedPositionalValue(0, List.<String>of());
    var line = Stream.concat(Stream.of("megaclass", verb.name()), words.stream().map(Shell::quote));
    return new Arguments(
        new ArrayList<>(positionals), flags, line.collect(Collectors.joining(" ")));
  }

  private static String flag(List<ArgSpec> options) {
    return options.getFirst() instanceof OptionSpec option ? option.longestName() : "a flag";
  }

  private static String hint(String word, List<String> known, String what) {
    return Nearest.to(word, known)
        .map(nearest -> ", did you mean " + nearest + "?")
        .orElse("; the " + what + " are " + String.join(", ", known));
  }

  /** A word as a shell takes it. */
  private static String quote(String word) {
    return word.matches("[\\w./:=@%+,-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }

  private int fail(Throwable e, boolean debug, int exitCode) {
    console.out().flush();
    console.err().println("megaclass: " + message(e));
    for (var cause = debug ? e : null; cause != null; cause = cause.getCause()) {
      console.err().println(cause);
      Stream.of(cause.getStackTrace()).forEach(frame -> console.err().println("\tat " + frame));
    }
    console.err().flush();
    return exitCode;
  }

  private static String message(Throwable e) {
    boolean expected =
        e instanceof UsageException
            || e instanceof InvalidSettingException
            || e instanceof UncheckedIOException
            || e instanceof IllegalArgumentException
            || e instanceof IllegalStateException
            || e instanceof ArithmeticException;
    if (expected && e.getMessage() != null) {
      return e.getMessage();
    }
    if (e instanceof OutOfMemoryError) {
      return "out of memory (%s); megaclass plan shows what a run needs".formatted(e.getMessage());
    }
    return "unexpected error: %s; --debug shows where. Please report it".formatted(e);
  }
}
