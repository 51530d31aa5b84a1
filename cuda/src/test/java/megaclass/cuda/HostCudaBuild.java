// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Builds the library of {@link HostCuda} with g++: the emulation, and every .cu file in a namespace
 * of its own with a table of its kernels. What is built is named by a hash of all that it is made
 * from, so each state of the sources is built once, and a change compiles only what it concerns.
 */
final class HostCudaBuild {
  /** Where objects and libraries are kept, below the folder of the module. */
  static final Path FOLDER = Path.of("target", "host-cuda");

  private static final String COMPILER = "g++";
  private static final List<String> FLAGS =
      words("-std=c++17 -O2 -march=native -fPIC -fvisibility=hidden -Wall -Wextra -Werror");

  /** Products may be fused with sums: cuBLAS does that too. */
  private static final List<String> RUNTIME_FLAGS = words("-ffp-contract=fast");

  /**
   * As NVRTC is asked to compile them: multiply-adds round once only where they say fmaf. Every
   * page of a large frame is touched, so that it cannot step over the end of a fiber's stack.
   * Misaligned accesses and indexes outside of arrays that a kernel declares trap.
   */
  private static final List<String> KERNEL_FLAGS =
      words(
          "-ffp-contract=off -fno-strict-aliasing -fstack-clash-protection"
              + " -fsanitize=alignment,bounds -fsanitize-undefined-trap-on-error"
              + " -Wno-unknown-pragmas -Wno-sign-compare");

  private static final Pattern KERNEL =
      Pattern.compile("(?m)^extern \"C\" __global__ void (\\w+)\\(");
  private static final Pattern DYNAMIC_SHARED =
      Pattern.compile("extern __shared__ unsigned char (\\w+)\\[\\];");

  private final Path module;
  private final List<Path> runtime;
  private final List<Path> kernels;

  private HostCudaBuild(Path module) {
    this.module = module;
    runtime = files(module.resolve("src/test/cpp"), ".cpp");
    kernels =
        Stream.of("src/main/resources", "src/test/resources")
            .flatMap(
                folder -> files(module.resolve(folder).resolve("megaclass/cuda"), ".cu").stream())
            .toList();
  }

  private static List<String> words(String text) {
    return List.of(text.split(" "));
  }

  /** Whether this machine can build it. */
  static boolean hasCompiler() {
    try {
      return new ProcessBuilder(COMPILER, "--version")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * The library, built if it is not there yet.
   *
   * @param module the folder of this module
   */
  static Path library(Path module) {
    return new HostCudaBuild(module).build();
  }

  private Path build() {
    try {
      Files.createDirectories(module.resolve(FOLDER));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var objects =
        Stream.concat(
                runtime.stream().map(file -> new Unit(name(file), text(file), RUNTIME_FLAGS)),
                kernels.stream().map(file -> new Unit(name(file), wrapped(file), KERNEL_FLAGS)))
            .parallel()
            .map(this::compile)
            .toList();
    var arguments = new ArrayList<>(List.of("-shared", "-Wl,-z,defs"));
    objects.forEach(object -> arguments.add(object.toString()));
    return make("libhostcuda", ".so", arguments.toString(), arguments);
  }

  /** A text to compile, with the flags that it needs besides the usual ones. */
  private record Unit(String name, String text, List<String> flags) {}

  private Path compile(Unit unit) {
    var arguments = new ArrayList<>(FLAGS);
    arguments.addAll(unit.flags);
    arguments.add("-I" + module.resolve("src/test/cpp"));
    arguments.add("-I" + headersOfKernels());
    String inputs = String.join("\n", unit.text, headers(), arguments.toString(), processor());
    var source = module.resolve(FOLDER).resolve(unit.name + "-" + hash(inputs) + ".cpp");
    if (!Files.exists(source)) {
      write(source, unit.text);
    }
    arguments.addAll(List.of("-c", source.toString()));
    return make(unit.name, ".o", inputs, arguments);
  }

  /** Runs the compiler, unless what it would make from {@code inputs} is there already. */
  private Path make(String name, String suffix, String inputs, List<String> arguments) {
    var made = module.resolve(FOLDER).resolve(name + "-" + hash(inputs) + suffix);
    if (Files.exists(made)) {
      return made;
    }
    var fresh = made.resolveSibling(made.getFileName() + "." + ProcessHandle.current().pid());
    var command = new ArrayList<>(List.of(COMPILER));
    command.addAll(arguments);
    command.addAll(List.of("-o", fresh.toString()));
    try {
      var process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), UTF_8);
      if (process.waitFor() != 0) {
        throw new AssertionError(String.join(" ", command) + " failed:\n" + output);
      }
      return Files.move(fresh, made, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A .cu file as a unit of C++: in its own namespace, its kernels under names of their own. */
  private static String wrapped(Path file) {
    String name = name(file);
    String text = text(file);
    var names = KERNEL.matcher(text).results().map(kernel -> kernel.group(1)).toList();
    String section = "megaclass_shared_" + name;
    var unit = new StringBuilder();
    unit.append("#define MEGACLASS_SHARED_SECTION \"%s\"\n".formatted(section));
    unit.append("#include \"cuda_host.h\"\n");
    for (String edge : List.of("__start_", "__stop_")) {
      unit.append("extern \"C\" __attribute__((weak, visibility(\"hidden\"))) char ");
      unit.append(edge + section + "[];\n");
    }
    names.forEach(kernel -> unit.append("#define %s %s_%s\n".formatted(kernel, name, kernel)));
    unit.append("namespace kernels_of_%s {\n#line 1 \"%s\"\n".formatted(name, file));
    unit.append(
        DYNAMIC_SHARED
            .matcher(text)
            .replaceAll("unsigned char* const $1 = ::megaclass_host::dynamic_shared_memory();"));
    unit.append("\n}\n");
    names.forEach(kernel -> unit.append("#undef %s\n".formatted(kernel)));
    for (String kernel : names) {
      unit.append(
          """
          static const auto registered_%2$s =
              megaclass_host::Registration::of<&kernels_of_%1$s::%1$s_%2$s>(
                  "%1$s", "%2$s", __start_%3$s, __stop_%3$s);
          """
              .formatted(name, kernel, section));
    }
    return unit.toString();
  }

  private Path headersOfKernels() {
    return module.resolve("src/main/resources/megaclass/cuda");
  }

  private String headers() {
    return Stream.of(files(module.resolve("src/test/cpp"), ".h"), files(headersOfKernels(), ".cuh"))
        .flatMap(List::stream)
        .map(HostCudaBuild::text)
        .collect(Collectors.joining("\n"));
  }

  /** What decides which instructions -march=native gives; empty where it cannot be read. */
  private static String processor() {
    var information = Path.of("/proc/cpuinfo");
    return Files.isReadable(information)
        ? text(information)
            .lines()
            .filter(line -> line.startsWith("model name") || line.startsWith("flags"))
            .distinct()
            .collect(Collectors.joining("\n"))
        : "";
  }

  private static List<Path> files(Path folder, String suffix) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (var files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String name(Path file) {
    return file.getFileName().toString().replaceFirst("\\.\\w+$", "");
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String hash(String text) {
    try {
      var hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
      return HexFormat.of().formatHex(hash, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
