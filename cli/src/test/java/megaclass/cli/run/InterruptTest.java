// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import megaclass.cli.Cli;
import megaclass.cli.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a process of its own, since a signal is for a whole process. */
class InterruptTest {
  private static final List<String> TRAIN =
      List.of(
          "train",
          "planted.mcd",
          "--epochs",
          "60",
          "--batch-size",
          "16",
          "--threads",
          "1",
          "--selector",
          "uniform(0.5)",
          "--evaluate-times",
          "0");

  @TempDir Path folder;

  @Test
  void anInterruptedRunSavesACheckpointAndEndsAsIfNothingHadHappenedOnceResumed()
      throws IOException, InterruptedException {
    assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"));
    var made = Cli.run(folder, "synth", "planted.mcd", "--num-classes", "500", "--dim", "16");
    assertEquals(ExitCode.DONE, made.exitCode(), made.err());

    var output = folder.resolve("output.txt");
    var process =
        new ProcessBuilder(command(TRAIN))
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    var metrics = folder.resolve("runs/planted/metrics.jsonl");
    while (process.isAlive() && !has(metrics, "progress")) {
      Thread.sleep(20);
    }
    // TERM takes the road of Ctrl-C; INT itself is ignored below a shell that runs in the
    // background.
    assertEquals(0, new ProcessBuilder("kill", "-TERM", "" + process.pid()).start().waitFor());
    assertTrue(process.waitFor(5, TimeUnit.MINUTES), "the run goes on");
    assertEquals(ExitCode.INTERRUPTED, process.exitValue(), Files.readString(output));
    var lines = Files.readAllLines(output);
    assertTrue(lines.contains("stopping  after this step, with a checkpoint; again: stop at once"));
    assertTrue(
        lines
            .getLast()
            .matches(
                "stopped   after step [\\d ]+; this continues: megaclass train runs/planted"
                    + " --resume"),
        lines.getLast());
    assertFalse(Files.exists(folder.resolve("runs/planted/DONE")));

    var resumed = Cli.run(folder, "train", "runs/planted", "--resume");
    assertEquals(ExitCode.DONE, resumed.exitCode(), resumed.err());
    assertTrue(resumed.out().contains("\nresume    step "), resumed.out());
    assertTrue(has(metrics, "resumed"));
    assertTrue(Files.exists(folder.resolve("runs/planted/DONE")));

    var whole = new ArrayList<>(TRAIN);
    whole.addAll(List.of("--run-dir", "runs/whole"));
    assertEquals(ExitCode.DONE, Cli.run(folder, whole.toArray(String[]::new)).exitCode());
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("runs/whole/model.mcm")),
        Files.readAllBytes(folder.resolve("runs/planted/model.mcm")));
  }

  private static List<String> command(List<String> words) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), "megaclass.cli.Main"));
    command.addAll(words);
    return command;
  }

  private static boolean has(Path metrics, String event) {
    return Files.exists(metrics)
        && Metrics.read(metrics).stream()
            .map(Map::entrySet)
            .anyMatch(e -> e.contains(Map.entry("event", event)));
  }
}
