// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import megaclass.cli.BuildInfo;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a shell script in place of Maven: what is fetched is Maven's matter, not ours. */
class MavenArtifactTest {
  private static final MavenArtifact ARTIFACT = new MavenArtifact("some.group", "words", "1.2");

  @TempDir Path folder;

  @BeforeEach
  void scriptsRunHere() {
    assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"));
  }

  @Test
  void theJarIsFetchedByTheUsersMaven() throws IOException {
    var path =
        maven(
            """
            echo "$@" > %s
            for word in "$@"; do
              case "$word" in -DoutputDirectory=*) echo jar > "${word#*=}/words-1.2.jar";; esac
            done
            """
                .formatted(folder.resolve("words")));
    var jar = ARTIFACT.fetch(folder.resolve("jars"), path);
    assertEquals(folder.resolve("jars/words-1.2.jar"), jar);
    assertEquals("jar\n", Files.readString(jar));
    assertEquals(List.of(jar), list(folder.resolve("jars")));
    var words = List.of(Files.readString(folder.resolve("words")).strip().split(" "));
    assertEquals(
        List.of(
            "--batch-mode",
            "--quiet",
            "org.apache.maven.plugins:maven-dependency-plugin:"
                + BuildInfo.dependencyPluginVersion()
                + ":copy",
            "-Dartifact=some.group:words:1.2"),
        words.subList(0, 4));
    assertTrue(BuildInfo.dependencyPluginVersion().matches("\\d+\\.\\d+\\.\\d+"));
  }

  @Test
  void whatMavenSaysIsPassedOn() throws IOException {
    var path =
        maven(
            """
            echo "Downloading"
            echo "[ERROR] Failed to execute goal: no such artifact"
            echo "[ERROR] and more"
            exit 1
            """);
    var e =
        assertThrows(
            UncheckedIOException.class, () -> ARTIFACT.fetch(folder.resolve("jars"), path));
    assertEquals(
        "cannot fetch some.group:words:1.2: Maven says: Failed to execute goal: no such artifact."
            + " Or put the file there yourself: "
            + folder.resolve("jars/words-1.2.jar"),
        e.getMessage());
    assertEquals(List.of(), list(folder.resolve("jars")));
  }

  @Test
  void withoutMavenTheUserIsToldWhatToDo() {
    for (var environment : List.of(Map.of("PATH", folder.toString()), Map.<String, String>of())) {
      var e = assertThrows(UncheckedIOException.class, () -> ARTIFACT.fetch(folder, environment));
      assertEquals(
          "cannot fetch some.group:words:1.2: Maven (mvn) is not on the PATH; install Maven 3.8 or"
              + " newer. Or put the file there yourself: "
              + folder.resolve("words-1.2.jar"),
          e.getMessage());
    }
  }

  /** The environment in which a script is Maven. */
  private Map<String, String> maven(String script) throws IOException {
    var bin = Files.createDirectories(folder.resolve("bin"));
    var mvn = Files.writeString(bin.resolve("mvn"), "#!/bin/sh\n" + script);
    Files.setPosixFilePermissions(mvn, PosixFilePermissions.fromString("rwxr-xr-x"));
    return Map.of("PATH", bin.toString());
  }

  private static List<Path> list(Path folder) throws IOException {
    try (var entries = Files.list(folder)) {
      return entries.toList();
    }
  }
}
