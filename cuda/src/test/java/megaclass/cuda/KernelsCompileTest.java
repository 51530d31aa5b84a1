// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compiles every kernel with nvcc where it is on the PATH; a warning is an error. What the kernels
 * take of a device, registers, shared memory and spilled bytes, is written to a file in {@code
 * target/kernels} that is named by a hash of the source: what has compiled is not compiled again.
 */
class KernelsCompileTest {
  private static final Path REPORTS = Path.of("target/kernels");
  private static final List<String> ARCHITECTURES = List.of("sm_80", "sm_90");

  @TempDir static Path folder;

  @BeforeAll
  static void requireNvcc() {
    boolean found =
        Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
            .anyMatch(path -> Files.isExecutable(Path.of(path, "nvcc")));
    if (!found) {
      System.out.println("nvcc is not on the PATH: the kernels were not compiled with it");
    }
    assumeTrue(found, "nvcc is not on the PATH");
  }

  @Test
  void everyKernelCompilesForEachArchitecture() throws IOException, InterruptedException {
    var complaints = new ArrayList<String>();
    for (String name : KernelFiles.names()) {
      var report = REPORTS.resolve(KernelCache.shipped(KernelSource.read(name)) + ".txt");
      if (!Files.exists(report)) {
        compile(name, report, complaints);
      }
    }
    assertEquals("", String.join("\n", complaints));
  }

  private static void compile(String name, Path report, List<String> complaints)
      throws IOException, InterruptedException {
    var output = new StringBuilder();
    for (String architecture : ARCHITECTURES) {
      var result = compile(KernelFiles.FOLDER.resolve(name + ".cu"), architecture);
      output.append(result.output());
      if (result.code() != 0) {
        complaints.add("%s.cu for %s:\n%s".formatted(name, architecture, result.output()));
      }
    }
    if (complaints.isEmpty()) {
      Files.createDirectories(REPORTS);
      Files.writeString(report, output);
    }
  }

  @Test
  void aWarningIsAnError() throws IOException, InterruptedException {
    var file = folder.resolve("unused.cu");
    Files.writeString(
        file,
        """
        extern "C" __global__ void unused(int* into) {
          int a = 1;
          into[0] = 2;
        }
        """);
    var result = compile(file, "sm_80");
    assertTrue(result.code() != 0 && result.output().contains("\"a\""), result.output());
  }

  @Test
  void whatTheBuildCompilesIsFoundAndNothingOlder() throws IOException, InterruptedException {
    var classes = Files.createDirectory(folder.resolve("classes"));
    for (String file : List.of("sort.cu", KernelSource.HEADER)) {
      Files.copy(KernelFiles.FOLDER.resolve(file), classes.resolve(file));
    }
    Files.writeString(classes.resolve("sort-of-older-sources.fatbin"), "old");
    var result = run(List.of("bash", "fatbin.sh", classes.toString()));
    try (var files = Files.list(classes)) {
      assertEquals(
          List.of(KernelSource.HEADER, KernelCache.shipped(KernelSource.read("sort")), "sort.cu"),
          files.map(file -> String.valueOf(file.getFileName())).sorted().toList(),
          result.output());
    }
  }

  private record Result(int code, String output) {}

  private static Result compile(Path file, String architecture)
      throws IOException, InterruptedException {
    var command = new ArrayList<>(List.of("nvcc", "-cubin", "-arch=" + architecture));
    command.addAll(KernelCache.OPTIONS);
    command.addAll(List.of("-Werror", "all-warnings", "-Xptxas", "-v"));
    command.addAll(List.of("-o", folder.resolve("cubin").toString(), file.toString()));
    return run(command);
  }

  private static Result run(List<String> command) throws IOException, InterruptedException {
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    return new Result(process.waitFor(), output);
  }
}
