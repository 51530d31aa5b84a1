// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import megaclass.cli.Cli;
import megaclass.cli.ExitCode;
import megaclass.cli.text.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is said of a device before anything is taken from it. */
class DevicePlanTest {
  private static final String TERMS =
      """
      memory of the device
        class weights                     2.4 MiB
        batch                             128 KiB
        together                          2.6 MiB
      """;

  @TempDir Path folder;

  private Cli plan(String... flags) {
    var words = new String[flags.length + 4];
    words[0] = "plan";
    words[1] = "--num-classes=5000";
    words[2] = "--batch-size=256";
    words[3] = "--backend=paper";
    System.arraycopy(flags, 0, words, 4, flags.length);
    return Cli.run(folder, words);
  }

  @Test
  void theMemoryOfADeviceHasItsOwnHeading() {
    var run = plan("--dim=128");
    assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    assertTrue(
        run.out().endsWith(TERMS + "  there is                            3 MiB\n"), run.out());
    assertTrue(run.out().contains(" threads; head on paper: a sheet\n"), run.out());
  }

  @Test
  void severalDevicesArePlannedForEach() {
    var run = plan("--dim=128", "--device-count=2");
    assertTrue(run.out().contains("\nmemory of each of 2 devices\n"), run.out());
    assertEquals(
        "megaclass: backend \"paper\" cannot be used here: there is device 0, but device 1 is"
            + " wanted. Or take auto, vector or scalar\n",
        run.err());
  }

  @Test
  void aPlanForTheHostSaysNothingOfDevices() {
    var run = Cli.run(folder, "plan", "--num-classes=5000");
    assertFalse(run.out().contains("device"), run.out());
    assertFalse(
        Cli.run(folder, "plan", "--num-classes=5000", "--log=json").out().contains("device"));
  }

  @Test
  void aPlanIsMadeWithoutADeviceAndThenSaysThatThereIsNone() {
    var run = plan("--dim=128", "--device-number=1");
    assertEquals(ExitCode.FAILED, run.exitCode());
    assertTrue(run.out().endsWith(TERMS), run.out());
    assertTrue(run.out().contains(" threads; head on paper: no device here\n"), run.out());
    assertEquals(
        "megaclass: backend \"paper\" cannot be used here: there is device 0, but device 1 is"
            + " wanted. Or take auto, vector or scalar\n",
        run.err());
  }

  /** On a machine with a GPU the plan names it. */
  @Test
  void theCommandFindsTheModuleForGpus() {
    var run = Cli.run(folder, "plan", "--num-classes=5000", "--backend=cuda");
    assertTrue(run.out().contains("\nmemory of the device\n  class weights "), run.out());
    if (run.exitCode() == ExitCode.DONE) {
      assertTrue(run.out().contains("head on cuda: NVIDIA"), run.out());
    } else {
      assertTrue(run.out().contains("head on cuda: no device here"), run.out());
      String err = run.err();
      assertTrue(err.startsWith("megaclass: backend \"cuda\" cannot be used here: "), err);
      assertTrue(err.endsWith(". Or take auto, vector or scalar\n"), err);
    }
  }

  @Test
  void aPlanThatItsDeviceHasNoRoomForIsRefused() {
    var run = plan("--dim=512");
    assertEquals(ExitCode.FAILED, run.exitCode());
    assertTrue(run.err().startsWith("megaclass: the head needs 0.0 GiB on a sheet, "), run.err());
  }

  @Test
  void theLogHasTheBytesOfTheDevice() {
    var planned = Json.parse(plan("--dim=128", "--log=json").out());
    assertEquals(Map.of("class weights", 2_560_000, "batch", 131_072), planned.get("deviceMemory"));
  }

  @Test
  void weightsThatAreTooManyForMemoryDoNotGoToDiskBesideADevice() {
    var run = plan("--dim=128", "--memory=100m");
    assertTrue(run.err().contains("neither class weights on disk nor a smaller dim"), run.err());
  }

  @Test
  void aModelIsEvaluatedByTheHost() {
    Cli.writePairs(folder.resolve("pairs.tsv"), 5, 4);
    var small = new String[] {"train", "pairs.tsv", "--dim=8", "--backbone=bag(buckets=1000)"};
    assertEquals(ExitCode.DONE, Cli.run(folder, small).exitCode());
    assertEquals(
        "megaclass: unknown backend \"cuda\"; expected one of auto, vector, scalar\n",
        Cli.run(folder, "evaluate", "runs/pairs", "pairs.tsv", "--backend=cuda").err());
  }
}
