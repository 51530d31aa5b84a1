// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ShellTest {
  @TempDir Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... words) {
    return new Shell(new PrintWriter(out, true), new PrintWriter(err, true), folder).run(words);
  }

  private void assertComplaint(int exitCode, String complaint, String... words) {
    assertEquals(exitCode, run(words));
    assertEquals("megaclass: " + complaint, err.toString().strip());
    assertEquals("", out.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "cell", "kernels", "table", "search", "evaluate", "selection"})
  void helpEndsWithTwoExamples(String verb) {
    var words = verb.isEmpty() ? List.of("--help") : List.of(verb, "--help");
    assertEquals(0, run(words.toArray(String[]::new)));
    var lines = out.toString().strip().lines().toList();
    assertEquals("Examples", lines.get(lines.size() - 3));
    lines
        .subList(lines.size() - 2, lines.size())
        .forEach(line -> assertTrue(line.startsWith("  megaclass bench " + verb), line));
  }

  @Test
  void withoutTheFolderOfResultsNothingIsMeasured() {
    assertComplaint(
        2,
        "there is no folder bench/results here; run this in the root of the repository, or give"
            + " --results");
  }

  @Test
  void aResultIsNeverOverwritten() throws IOException {
    Files.writeString(folder.resolve("old.json"), "");
    assertComplaint(
        2,
        "old.json exists, and results are never overwritten; give another --name",
        "--results=",
        "--name=old");
  }

  @Test
  void aSettingOutOfRangeIsFoundBeforeAnythingIsMeasured() {
    assertComplaint(
        2,
        "dim must be in [1, 65536], but was 100000",
        "--results=x",
        "--dim=128,100000",
        "--num-classes=1000");
    assertTrue(Files.notExists(folder.resolve("x")));
  }

  @Test
  void aSelectorThatIsNoneIsNamed() {
    assertEquals(2, run("--results=x", "--selector=all; unform(0.1)"));
    assertTrue(
        err.toString().startsWith("megaclass: cannot read class selector \"unform(0.1)\""),
        err.toString());
  }

  @Test
  void twoFlagsThatLeaveNothingToMeasureAreRefused() {
    assertComplaint(
        2,
        "--only-grid and --only-kernels together leave nothing to measure; give one of them",
        "--only-grid",
        "--only-kernels");
  }

  @Test
  void repeatsAreAtLeastOne() {
    assertComplaint(2, "repeats must be at least 1, but was 0", "--repeats=0");
  }

  @Test
  void aMissingFlagIsNamed() {
    assertComplaint(2, "Missing required option: '--dim=N'", "cell", "--num-classes=1000");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          kernles         | unknown word kernles, did you mean kernels?
          --quikc         | unknown word --quikc, did you mean --quick?
          kernels --theads=2 | unknown word --theads, did you mean --threads?
          --wings         | unknown word --wings; megaclass bench --help shows what there is
          """)
  void anUnknownWordIsAnsweredWithTheNearest(String words, String complaint) {
    assertComplaint(2, complaint, words.split(" "));
  }

  @Test
  void whatIsNoResultFileIsRefused() throws IOException {
    assertComplaint(3, folder.resolve("no.json") + ": no such file or folder", "table", "no.json");
    err.getBuffer().setLength(0);
    Files.writeString(folder.resolve("odd.json"), "{\"version\": 1,");
    assertEquals(3, run("table", "odd.json"));
    assertTrue(
        err.toString()
            .startsWith("megaclass: " + folder.resolve("odd.json") + ": is not a result file: "),
        err.toString());
  }

  @Test
  void aResultOfANewerProgramIsRefused() throws IOException {
    Files.writeString(folder.resolve("new.json"), "{\"version\": 2}");
    assertComplaint(
        3,
        folder.resolve("new.json")
            + ": is a result of version 2, but this program reads versions up to 1; use a newer"
            + " one",
        "table",
        "new.json");
  }

  @Test
  void debugShowsWhereAnErrorComesFrom() {
    assertEquals(2, run("--repeats=0", "--debug"));
    assertTrue(err.toString().contains("\tat megaclass.internal.Check."), err.toString());
  }

  @Test
  void theCommandOfAResultIsWhatAShellTakes() {
    assertEquals(
        "megaclass bench --selector 'all; uniform(0.1)' --name 'it'\\''s'",
        Shell.commandLine(List.of("--selector", "all; uniform(0.1)", "--name", "it's")));
  }
}
