// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Runs a verb of this program in a fresh JVM with the options of this one, or the command of users:
 * memory, compiled code and whatever else a JVM gathers are then its own.
 */
final class ChildJvm {
  /** A child that did not do its work; the message says what it complained of. */
  static final class FailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    FailedException(String message) {
      super(message);
    }
  }

  private static volatile @Nullable Process running;

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(ChildJvm::end, "end of the child"));
  }

  private ChildJvm() {}

  private static void end() {
    Process child = running;
    if (child != null) {
      child.destroyForcibly();
    }
  }

  /**
   * Runs {@code megaclass bench WORDS} to its end, which is also that of the child when this JVM
   * ends first.
   *
   * @return what it printed
   * @throws FailedException when it ended with another exit code than 0
   */
  static String run(List<String> words) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(Program.jvmOptions());
    command.addAll(List.of("--class-path", System.getProperty("java.class.path")));
    command.add(Main.class.getName());
    command.addAll(words);
    return run(new ProcessBuilder(command));
  }

  /**
   * Runs {@code megaclass WORDS}, the command of users, as {@link #run(List)} does.
   *
   * @param root the folder of the repository, where the launcher lies and paths start
   */
  static String launch(Path root, List<String> words) {
    var command = new ArrayList<>(List.of(root.resolve("megaclass").toAbsolutePath().toString()));
    command.addAll(words);
    return run(new ProcessBuilder(command).directory(root.toAbsolutePath().toFile()));
  }

  private static String run(ProcessBuilder command) {
    try {
      var child = command.start();
      running = child;
      var complaints = CompletableFuture.supplyAsync(() -> text(child.errorReader(UTF_8)));
      String output = text(child.inputReader(UTF_8));
      int exitCode = child.waitFor();
      if (exitCode != 0) {
        throw new FailedException(reason(exitCode, complaints.join()));
      }
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start a child: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a child measured", e);
    }
  }

  private static String text(BufferedReader reader) {
    return reader.lines().reduce("", (all, line) -> all + line + "\n");
  }

  /** The first line that is neither the JVM's word about incubator modules nor that of a build. */
  private static String reason(int exitCode, String complaints) {
    return complaints
        .lines()
        .filter(line -> !line.startsWith("WARNING: ") && !line.startsWith("building "))
        .findFirst()
        .map(line -> line.replaceFirst("^megaclass: ", ""))
        .orElse("exit code " + exitCode);
  }
}
