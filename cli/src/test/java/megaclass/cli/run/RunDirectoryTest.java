// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunDirectoryTest {
  @TempDir Path folder;

  @Test
  void aRunThatTheDiskHasNoRoomForIsRefusedBeforeItStarts() {
    Path runs = folder.resolve("runs/there/are/none/yet");
    var directory = new RunDirectory(runs, "runs/x");
    assertDoesNotThrow(() -> directory.requireSpace(1));
    var e =
        assertThrows(IllegalArgumentException.class, () -> directory.requireSpace(Long.MAX_VALUE));
    String expected =
        "the run writes 8192 PiB to runs/x, but the disk has .+ left; free some, or let --run-dir"
            + " name a folder on another disk";
    assertTrue(String.valueOf(e.getMessage()).matches(expected), e.getMessage());
    assertFalse(Files.exists(runs));
  }
}
