// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/**
 * What was measured.
 *
 * @param commit of the repository that the command ran in, with "+" behind it when files were
 *     changed since; "unknown" outside a repository
 * @param java version of the JVM
 * @param vm name and vendor of the JVM
 * @param options of the JVM, those of the children too
 */
record Program(String commit, String java, String vm, List<String> options) {
  private static final String UNKNOWN = "unknown";

  /** This program. */
  static Program read() {
    return new Program(
        readCommit(),
        Runtime.version().toString(),
        "%s, %s".formatted(System.getProperty("java.vm.name"), System.getProperty("java.vendor")),
        jvmOptions().stream().map(Program::withoutPaths).toList());
  }

  /** The options that this JVM was started with. */
  static List<String> jvmOptions() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments();
  }

  /** Result files are public: where things lie on the machine of the one who measured is not. */
  static String withoutPaths(String option) {
    return option.replaceAll("(^|[=:,])/[^=:,]*", "$1...");
  }

  private static String readCommit() {
    String commit = git("rev-parse", "--short=12", "HEAD");
    boolean changed = !git("status", "--porcelain", "--untracked-files=no").isEmpty();
    return commit.isEmpty() ? UNKNOWN : commit + (changed ? "+" : "");
  }

  /** What git says, or nothing when there is no git or no repository. */
  private static String git(String... words) {
    var command = new ArrayList<>(List.of("git"));
    command.addAll(List.of(words));
    try {
      var process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      String output = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
      return process.waitFor() == 0 ? output : "";
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }
}
