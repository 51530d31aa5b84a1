// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The comparison of selectors with a command in place of {@code megaclass} that trains nothing. */
class SelectionRunTest {
  @TempDir Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  /** Writes down how it was called and, as a run of training does, its metrics. */
  @BeforeEach
  void putACommandInPlaceOfMegaclass() throws IOException {
    Path command = folder.resolve("megaclass");
    Files.writeString(
        command,
        """
        #!/bin/sh
        echo "$*" >> calls
        case "$*" in *--selector=forest*)
          echo 'WARNING: Using incubator modules: jdk.incubator.vector' >&2
          echo 'megaclass: there are no trees' >&2
          exit 2
        esac
        mkdir -p runs/selection
        cp metrics.jsonl runs/selection
        """);
    assertTrue(command.toFile().setExecutable(true));
    try (var in = getClass().getResourceAsStream("selection-metrics.jsonl")) {
      Files.copy(Objects.requireNonNull(in), folder.resolve("metrics.jsonl"));
    }
  }

  private int run(String... words) {
    var all = new ArrayList<>(List.of("selection", "run", "--results=results/all.jsonl"));
    all.addAll(List.of(words));
    return new Shell(new PrintWriter(out, true), new PrintWriter(err, true), folder)
        .run(all.toArray(String[]::new));
  }

  private List<SelectionRun> results() {
    return SelectionResults.read(folder.resolve("results/all.jsonl"));
  }

  private List<String> calls() throws IOException {
    Path file = folder.resolve("calls");
    return Files.exists(file) ? Files.readAllLines(file) : List.of();
  }

  @Test
  void everyCellIsARunOfTrainingAndALineOfTheResult() throws IOException {
    assertEquals(
        0,
        run("--data=planted-1m", "--selector=ivf(r)", "--share=0.01,0.001", "--seeds=2"),
        err::toString);
    assertEquals(
        List.of("0.01 1", "0.001 1", "0.01 2", "0.001 2"),
        results().stream().map(run -> run.cell().share() + " " + run.cell().seed()).toList());
    assertEquals(5, calls().size());
    assertTrue(calls().getFirst().startsWith("synth data/selection/planted-1m-train.mcd "));
    String train = calls().get(2);
    assertTrue(train.startsWith("train data/selection/planted-1m-train.mcd "), train);
    assertTrue(train.contains(" --selector=ivf(0.001) "), train);
    assertTrue(train.contains(" --seed=1 "), train);
  }

  @Test
  void aLineSaysWhatTheMetricsSay() throws IOException {
    assertEquals(0, run("--data=planted-1m", "--selector=ivf(r)", "--share=0.01", "--seeds=1"));
    SelectionRun run = results().getFirst();
    assertEquals(new SelectionRun.Tested(10_000, 0.5708, 0.7808, 2.839), run.tested());
    assertEquals(20, run.seconds());
    assertEquals(25_000, run.examplesPerSecond(), 1e-6, "examples of the epoch / seconds");
    assertEquals(1000, run.numActive());
    assertEquals(100_000, run.numClasses());
    assertEquals("vector 512 bit, 2 threads", run.compute());
    // The validation itself took 0.5 of the 6.5 seconds.
    assertEquals(
        List.of(new SelectionRun.Point(6, 0.305), new SelectionRun.Point(20, 0.574)), run.curve());
    assertNotNull(run.chosen());
    assertEquals(0.2823, run.chosen().coveredMass(), "the last of them");
    assertEquals(0.8, run.chosen().cumulativeMass().get("50"));
    assertEquals(11.5, run.stageSeconds().get("select"));
  }

  @Test
  void whatIsInTheFileIsNotRunAgain() throws IOException {
    assertEquals(0, run("--data=planted-1m", "--selector=ivf(r)", "--seeds=1"));
    int before = calls().size();
    var results = results();
    assertEquals(0, run("--data=planted-1m", "--selector=ivf(r)", "--seeds=1"));
    assertEquals(before, calls().size());
    assertEquals(results, results());
    assertTrue(out.toString().endsWith("2 runs, 0 of them left\n"), out.toString());
  }

  @Test
  void aRunThatFailsSaysWhyAndTheOthersGoOn() {
    assertEquals(
        1,
        run(
            "--data=planted-1m",
            "--selector=forest(r);neighbours(r)",
            "--share=0.01",
            "--seeds=1"));
    assertTrue(
        out.toString()
            .contains(
                "1/2  planted-1m  normsoftmax(scale=32)  forest(0.01)  seed 1  failed:"
                    + " there are no trees\n"),
        out.toString());
    assertEquals(
        List.of("neighbours(r)"), results().stream().map(run -> run.cell().method()).toList());
  }

  @Test
  void noRunStartsAfterTheGivenMinutes() throws IOException {
    assertEquals(0, run("--data=planted-1m", "--selector=ivf(r)", "--seeds=1", "--minutes=0"));
    assertTrue(out.toString().endsWith("2 runs are left for another time\n"), out.toString());
    assertEquals(List.of(), calls());
  }

  @Test
  void dataThatMustBeGivenIsAskedForBeforeAnythingIsMeasured() throws IOException {
    assertEquals(2, run("--data=planted-1m,bible"));
    assertEquals(
        "megaclass: this data set is not fetched: give it with --bible FOLDER",
        err.toString().strip());
    assertEquals(List.of(), calls());
  }

  @Test
  void aSelectorThatIsNotComparedIsNamed() {
    assertEquals(2, run("--data=planted-1m", "--selector=ivf(0.1)"));
    assertTrue(
        err.toString()
            .startsWith("megaclass: selector \"ivf(0.1)\" is not compared here; expected one of\n"),
        err.toString());
    assertTrue(err.toString().contains("\n  ivf(r) + tail(0.25)\n"), err.toString());
  }

  @Test
  void runsWithOtherSettingsDoNotGoIntoOneFile() throws IOException {
    assertEquals(0, run("--data=planted-1m", "--selector=ivf(r)", "--share=0.01", "--seeds=1"));
    Path file = folder.resolve("results/all.jsonl");
    String line = Files.readString(file);
    Files.writeString(file, line + line.replace("--learning-rate=", "--learning-rate=1"));
    assertEquals(3, run("--data=planted-1m"));
    assertEquals(
        "megaclass: "
            + file
            + ":2: has other settings than the runs on planted-1m before it; give --results"
            + " another file",
        err.toString().strip());
  }

  @Test
  void resultsTellNoPaths() throws IOException {
    assertEquals(0, run("--data=planted-1m", "--selector=ivf(r)", "--share=0.01", "--seeds=1"));
    String text = Files.readString(folder.resolve("results/all.jsonl"));
    assertFalse(text.contains(folder.toString()), text);
  }
}
