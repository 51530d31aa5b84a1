// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import megaclass.cli.Cli;
import megaclass.cli.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What needs no fonts; {@code GlyphPlanTest} draws with faces of its own. */
class GlyphsVerbTest {
  @TempDir Path folder;

  @Test
  void tooFewFacesAreAnsweredWithWhatToInstall() {
    var run = Cli.run(folder, "glyphs", "out.mcd", "--fonts", "no such face");
    assertEquals(ExitCode.WRONG_USAGE, run.exitCode());
    assertTrue(
        run.err()
            .contains(
                "found 0 faces with Han characters to learn from, but --min-faces asks for 5;"
                    + " install fonts, on Debian for instance fonts-droid-fallback"),
        run.err());
  }

  @Test
  void whatIsWrittenMustBeNamed() {
    var run = Cli.run(folder, "glyphs", "out.png");
    assertTrue(run.err().contains("expected the .mcd file to write, but got out.png"), run.err());
  }
}
