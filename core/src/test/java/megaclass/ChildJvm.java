// SPDX-License-Identifier: Apache-2.0
package megaclass;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Another Java machine with the class path of this one: for tests of what outlives a process. */
public final class ChildJvm {
  private ChildJvm() {}

  /** A process that runs {@code main}; error output joins the output. */
  public static ProcessBuilder of(List<String> options, Class<?> main, String... arguments) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xshare:auto"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectErrorStream(true);
  }

  /** Runs a process to its end and returns its output without the warnings of the machine. */
  public static String output(ProcessBuilder builder) throws IOException, InterruptedException {
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    int code = process.waitFor();
    if (code != 0) {
      throw new AssertionError("exit code " + code + " of " + builder.command() + "\n" + output);
    }
    return String.join(
        "\n", output.lines().filter(line -> !line.contains("WARNING: Using incubator")).toList());
  }
}
