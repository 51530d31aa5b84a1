// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The benchmark itself, with real children, at its smallest. */
class QuickBenchTest {
  @TempDir Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private BenchResult measure(String... words) {
    var shell = new Shell(new PrintWriter(out, true), new PrintWriter(err, true), folder);
    assertEquals(0, shell.run(words), err + "\n" + out);
    return ResultFile.read(folder.resolve("results/small.json"));
  }

  @Test
  void everySelectorIsMeasuredInEveryRepeat() throws IOException {
    var result =
        measure(
            "--quick",
            "--only-grid",
            "--num-classes=300",
            "--dim=20",
            "--selector=all;uniform(0.1)",
            "--batch-size=100",
            "--threads=2",
            "--repeats=2",
            "--warm-up=1ms",
            "--measure=1ms",
            "--results=" + folder.resolve("results"),
            "--name=small");

    assertTrue(result.complete());
    assertTrue(result.quick());
    assertEquals(
        List.of("all", "uniform(0.1, corrected=false)"),
        result.cells().stream().map(cell -> cell.cell().selector()).toList());
    for (var cell : result.cells()) {
      assertEquals("", cell.leftOut());
      assertEquals(2, cell.runs().size());
      // Of 100 samples a batch, each of another class, all targets are active.
      int numActive = cell.cell().selector().equals("all") ? 300 : 100;
      for (var run : cell.runs()) {
        assertEquals(numActive, run.numActive());
        assertEquals(100 * run.steps() / run.seconds(), run.samplesPerSecond(), 1e-6);
        assertTrue(run.steps() >= 3, () -> run.steps() + " steps");
        assertTrue(run.warmUp().steps() >= 3, () -> run.warmUp().steps() + " steps");
        assertTrue(Double.isFinite(run.loss()), () -> "loss " + run.loss());
        assertTrue(run.peakRssBytes() > 10 << 20, () -> run.peakRssBytes() + " bytes");
        double stages = run.stageSeconds().values().stream().mapToDouble(s -> s).sum();
        assertEquals(run.seconds(), stages, 0.2 * run.seconds(), "the stages of the window");
      }
    }
    assertPublishable(folder.resolve("results/small.json"));
    assertPublishable(folder.resolve("results/small.md"));
    assertTrue(out.toString().contains("4/4"), out.toString());
  }

  @Test
  void everyKernelIsMeasuredWithOneThreadAndWithAll() {
    var result =
        measure(
            "--quick",
            "--only-kernels",
            "--dim=20",
            "--threads=2",
            "--results=results",
            "--name=small");

    assertEquals(List.of(), result.cells());
    assertEquals(List.of(1, 2), result.kernelRuns().stream().map(KernelRun::threads).toList());
    var names = Kernel.all().stream().map(Kernel::name).toList();
    for (var run : result.kernelRuns()) {
      assertEquals(names, run.rates().stream().map(KernelRun.Rate::kernel).toList());
      run.rates().forEach(rate -> assertTrue(rate.rate() > 0, rate::toString));
    }
  }

  @Test
  void aCellThatDoesNotFitIntoMemoryIsLeftOutAndSaysSo() {
    assumeTrue(Machine.availableBytes() > 0, "this system does not tell its free memory");
    var result =
        measure(
            "--quick",
            "--only-grid",
            "--num-classes=2000000000",
            "--dim=8192",
            "--selector=all",
            "--results=results",
            "--name=small");
    assertTrue(
        result.cells().getFirst().leftOut().matches("needs [\\d ]+ MiB, but [\\d ]+ MiB are free"),
        result.cells().getFirst().leftOut());
  }

  @Test
  void anUnknownBackendIsFoundBeforeAnyChildStarts() {
    var shell = new Shell(new PrintWriter(out, true), new PrintWriter(err, true), folder);
    assertEquals(2, shell.run("--quick", "--backend=vectr", "--results=results", "--name=small"));
    assertEquals(
        "megaclass: backend must be one of auto, vector, scalar, cuda, but was \"vectr\"",
        err.toString().strip());
    assertFalse(Files.exists(folder.resolve("results")));
  }

  @Test
  void aChildThatFailsSaysWhy() {
    var e =
        assertThrows(
            ChildJvm.FailedException.class,
            () -> ChildJvm.run(List.of("cell", "--num-classes=1", "--dim=8")));
    assertEquals("numClasses must be in [2, 2147483639], but was 1", e.getMessage());
  }

  /** A result file tells what was measured on, but not where it lay or who measured. */
  private void assertPublishable(Path file) throws IOException {
    String text = Files.readString(file);
    for (String secret : List.of("user.dir", "user.home", "java.home", "java.io.tmpdir")) {
      String path = System.getProperty(secret);
      assertFalse(path.length() > 1 && text.contains(path), () -> file + " tells " + secret);
    }
    assertTrue(text.contains("--results=..."), text);
  }
}
