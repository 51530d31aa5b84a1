// SPDX-License-Identifier: Apache-2.0
package megaclass.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.NoSuchElementException;
import megaclass.cli.settings.Setting;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  @TempDir Path folder;

  @Test
  void withoutAVerbAllVerbsAreListed() {
    var run = Cli.run(folder);
    assertEquals(ExitCode.WRONG_USAGE, run.exitCode());
    for (var verb :
        List.of(
            "train",
            "evaluate",
            "predict",
            "plan",
            "inspect",
            "embed",
            "convert",
            "synth",
            "glyphs",
            "bench")) {
      assertTrue(run.out().contains("\n  " + verb + " "), verb);
    }
    assertEquals(new Cli(ExitCode.DONE, run.out(), ""), Cli.run(folder, "--help"));
    assertEquals(new Cli(ExitCode.DONE, run.out(), ""), Cli.run(folder, "help"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train",
        "evaluate",
        "predict",
        "plan",
        "inspect",
        "embed",
        "convert",
        "synth",
        "glyphs",
        "bench"
      })
  void theHelpOfAVerbListsItsFlagsAndEndsWithExamples(String name) {
    var verb = Main.VERBS.stream().filter(v -> v.name().equals(name)).findFirst().orElseThrow();
    var run = Cli.run(folder, name, "--help");
    assertEquals(ExitCode.DONE, run.exitCode());
    assertTrue(run.out().startsWith("megaclass " + name + ": " + verb.summary() + "\n"));
    for (var flag : verb.flags()) {
      assertTrue(run.out().contains("\n  " + flag.flag()), flag.flag());
      assertFalse(flag.description().isEmpty(), flag.flag() + " has no description");
    }
    String examples = "Examples\n  " + String.join("\n  ", verb.examples()) + "\n";
    assertTrue(run.out().endsWith(examples), run.out());
    assertEquals(List.of(), run.lines().stream().filter(line -> line.length() > 100).toList());
    assertEquals(run, Cli.run(folder, "help", name));
  }

  @Test
  void theFlagsOfAVerbAreDistinctAndInKebabCase() {
    for (var verb : Main.VERBS) {
      var flags = verb.flags().stream().map(Setting::flag).toList();
      assertEquals(flags.stream().distinct().toList(), flags, verb.name());
      flags.forEach(flag -> assertTrue(flag.matches("--[a-z]+[0-9]?(-[a-z]+)*"), flag));
    }
  }

  @Test
  void theVersionIsThatOfTheBuild() {
    var run = Cli.run(folder, "--version");
    assertEquals(ExitCode.DONE, run.exitCode());
    assertTrue(run.out().matches("megaclass \\d+\\.\\d+\\.\\d+(-SNAPSHOT)?\n"), run.out());
  }

  @Test
  void anUnknownVerbIsAnsweredWithTheNearest() {
    assertEquals(
        new Cli(ExitCode.WRONG_USAGE, "", "megaclass: unknown verb trains, did you mean train?\n"),
        Cli.run(folder, "trains"));
    assertEquals(
        new Cli(ExitCode.WRONG_USAGE, "", "megaclass: unknown verb trian, did you mean train?\n"),
        Cli.run(folder, "trian"));
    assertEquals(
        new Cli(
            ExitCode.WRONG_USAGE,
            "",
            "megaclass: unknown verb fly; the verbs are train, evaluate, predict, plan, inspect,"
                + " embed, convert, synth, glyphs, bench\n"),
        Cli.run(folder, "fly"));
  }

  @Test
  void anUnknownFlagIsAnsweredWithTheNearest() {
    assertEquals(
        "megaclass: unknown flag --epoch of megaclass train, did you mean --epochs?\n",
        Cli.run(folder, "train", "--epoch", "3").err());
    assertEquals(
        "megaclass: unknown flag --sede of megaclass train, did you mean --seed?\n",
        Cli.run(folder, "train", "--sede", "3").err());
    assertEquals(
        "megaclass: unknown flag --lgo of megaclass inspect, did you mean --log?\n",
        Cli.run(folder, "inspect", "--lgo=json").err());
    assertEquals(
        "megaclass: unknown flag --wings of megaclass inspect; the flags are --log\n",
        Cli.run(folder, "inspect", "--wings").err());
  }

  @Test
  void aFlagWithoutItsValueIsNamed() {
    var run = Cli.run(folder, "train", "--epochs");
    assertEquals(new Cli(ExitCode.WRONG_USAGE, "", "megaclass: --epochs needs a value\n"), run);
  }

  @Test
  void aFlagGivenTwiceIsNamed() {
    var run = Cli.run(folder, "train", "--epochs", "1", "--epochs", "2");
    assertEquals(
        new Cli(ExitCode.WRONG_USAGE, "", "megaclass: --epochs is given more than once\n"), run);
  }

  @Test
  void aMissingFileIsABadInputFile() {
    var run = Cli.run(folder, "inspect", "none.mcm");
    assertEquals(ExitCode.BAD_INPUT_FILE, run.exitCode());
    assertEquals(
        "megaclass: " + folder.resolve("none.mcm") + ": no such file or folder\n", run.err());
  }

  @Test
  void noStackTraceIsShownUnlessDebugAsksForIt() {
    var without = Cli.run(folder, "inspect", "none.mcm");
    assertFalse(without.err().contains("\tat "), without.err());
    for (var args :
        List.of(
            List.of("--debug", "inspect", "none.mcm"), List.of("inspect", "none.mcm", "--debug"))) {
      var with = Cli.run(folder, args.toArray(String[]::new));
      assertTrue(with.err().startsWith(without.err()), with.err());
      assertTrue(with.err().contains("\tat megaclass.internal."), with.err());
      assertEquals(without.exitCode(), with.exitCode());
    }
  }

  @Test
  void theBenchmarksAreStartedByTheLauncher() {
    assertEquals(
        new Cli(
            ExitCode.WRONG_USAGE,
            "",
            "megaclass: the benchmarks are a program of their own, which the launcher starts:"
                + " ./megaclass bench\n"),
        Cli.run(folder, "bench"));
  }

  @Test
  void anErrorThatNobodyForesawAsksToBeReported() {
    var verb = new FailingVerb();
    var run = Cli.run(folder, List.of(verb), "fail");
    assertEquals(ExitCode.FAILED, run.exitCode());
    assertEquals(
        "megaclass: unexpected error: java.util.NoSuchElementException: no value; --debug shows"
            + " where. Please report it\n",
        run.err());
  }

  private static final class FailingVerb implements Verb {
    @Override
    public String name() {
      return "fail";
    }

    @Override
    public String summary() {
      return "fail";
    }

    @Override
    public List<String> synopses() {
      return List.of();
    }

    @Override
    public List<Setting<?>> flags() {
      return List.of();
    }

    @Override
    public List<String> examples() {
      return List.of();
    }

    @Override
    public int run(Arguments arguments, Console console) {
      throw new NoSuchElementException("no value");
    }
  }
}
