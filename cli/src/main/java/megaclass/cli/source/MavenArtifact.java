// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.source;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import megaclass.cli.BuildInfo;
import org.jspecify.annotations.Nullable;

/**
 * A jar in a Maven repository, fetched by the user's own {@code mvn}: its settings, mirrors and
 * local repository are what counts.
 *
 * @param groupId as {@code org.carrot2}
 * @param artifactId as {@code morfologik-polish}
 * @param version as {@code 2.1.9}
 */
record MavenArtifact(String groupId, String artifactId, String version) {
  private static final String ERROR = "[ERROR] ";

  /** The file name of the jar. */
  String fileName() {
    return artifactId + "-" + version + ".jar";
  }

  /**
   * Fetches the jar into a folder.
   *
   * @param folder where it lies afterwards, whole or not at all
   * @param environment variables by name; PATH says where {@code mvn} is
   */
  Path fetch(Path folder, Map<String, String> environment) {
    var target = folder.resolve(fileName());
    var part = folder.resolve(".part-" + ProcessHandle.current().pid());
    try {
      Files.createDirectories(part);
      try {
        run(part, target, environment);
        Files.move(
            part.resolve(fileName()),
            target,
            StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
        return target;
      } finally {
        Files.deleteIfExists(part.resolve(fileName()));
        Files.delete(part);
      }
    } catch (IOException e) {
      throw failed("the file cannot be written: " + e.getMessage(), target, e);
    }
  }

  private void run(Path into, Path target, Map<String, String> environment) throws IOException {
    var process =
        new ProcessBuilder(command(into, target, environment))
            .directory(into.toFile())
            .redirectErrorStream(true)
            .start();
    var output = new ArrayList<String>();
    try (var reader = process.inputReader()) {
      process.getOutputStream().close();
      reader.lines().forEach(output::add);
      if (process.waitFor() != 0) {
        throw failed("Maven says: " + firstError(output), target, null);
      }
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
      throw failed("interrupted", target, e);
    }
  }

  private List<String> command(Path into, Path target, Map<String, String> environment) {
    return List.of(
        maven(target, environment),
        "--batch-mode",
        "--quiet",
        "org.apache.maven.plugins:maven-dependency-plugin:"
            + BuildInfo.dependencyPluginVersion()
            + ":copy",
        "-Dartifact=" + this,
        "-DoutputDirectory=" + into.toAbsolutePath());
  }

  private String maven(Path target, Map<String, String> environment) {
    for (var folder : environment.getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
      for (var name : List.of("mvn", "mvn.cmd")) {
        var file = Path.of(folder, name);
        boolean runs = File.separatorChar == '/' ? Files.isExecutable(file) : name.endsWith(".cmd");
        if (runs && Files.isRegularFile(file)) {
          return file.toString();
        }
      }
    }
    throw failed("Maven (mvn) is not on the PATH; install Maven 3.8 or newer", target, null);
  }

  private static String firstError(List<String> output) {
    return output.stream()
        .filter(line -> line.startsWith(ERROR))
        .map(line -> line.substring(ERROR.length()))
        .findFirst()
        .orElseGet(() -> output.isEmpty() ? "nothing" : output.getLast());
  }

  private UncheckedIOException failed(String why, Path target, @Nullable Throwable cause) {
    return new UncheckedIOException(
        "cannot fetch %s: %s. Or put the file there yourself: %s".formatted(this, why, target),
        new IOException(why, cause));
  }

  @Override
  public String toString() {
    return groupId + ":" + artifactId + ":" + version;
  }
}
