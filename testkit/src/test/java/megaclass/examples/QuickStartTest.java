// SPDX-License-Identifier: Apache-2.0
package megaclass.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.regex.Pattern;
import megaclass.data.Dataset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Java quick start of the README, run as a user runs it. */
class QuickStartTest {
  private static final Path ROOT = root();
  private static final Path QUICK_START = ROOT.resolve("examples/quickstart/QuickStart.java");

  private static Path root() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("examples/quickstart"))) {
      folder = Objects.requireNonNull(folder.getParent(), "not inside a checkout");
    }
    return folder;
  }

  @Test
  void quickStartTrainsSavesLoadsAndPredicts(@TempDir Path folder) throws Exception {
    var process =
        new ProcessBuilder(
                System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                "--module-path",
                core().toString(),
                "--add-modules",
                "megaclass.core,jdk.incubator.vector",
                "--enable-native-access=megaclass.core",
                QUICK_START.toString())
            .directory(folder.toFile())
            .redirectError(folder.resolve("errors.txt").toFile())
            .start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    int status = process.waitFor();
    assertEquals(0, status, () -> errors(folder));
    var top1 = Pattern.compile("^top-1 ([0-9.]+) %").matcher(output);
    assertTrue(top1.find(), output);
    assertTrue(Double.parseDouble(top1.group(1)) > 65, output);
    assertEquals(6, output.lines().count(), output);
    assertTrue(output.lines().skip(1).allMatch(line -> line.matches("class-\\d+ +0\\.\\d{3}")));
    assertTrue(Files.exists(folder.resolve("quickstart.mcm")));
  }

  @Test
  void readmeShowsTheQuickStartThatRuns() throws Exception {
    assertTrue(Files.readString(ROOT.resolve("README.md")).contains(Files.readString(QUICK_START)));
  }

  private static Path core() throws URISyntaxException {
    return Path.of(Dataset.class.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  private static String errors(Path folder) {
    try {
      return Files.readString(folder.resolve("errors.txt"));
    } catch (IOException e) {
      return "no errors.txt: " + e;
    }
  }
}
