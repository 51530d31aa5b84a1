// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What it was measured on. Texts are "unknown" and numbers 0 where the system does not tell.
 *
 * @param cpu model name, as the system gives it
 * @param cores that this JVM may use
 * @param caches of one core, such as "L2 2048K"
 * @param memoryBytes of the whole machine
 * @param system name and architecture
 * @param hugePages what the kernel gives: always, madvise or never
 * @param load of the minute before the measurement: runnable threads on average. A quiet machine
 *     has nearly 0
 */
record Machine(
    String cpu,
    int cores,
    List<String> caches,
    long memoryBytes,
    String system,
    String hugePages,
    double load) {
  private static final Path CACHES = Path.of("/sys/devices/system/cpu/cpu0/cache");
  private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
  private static final String UNKNOWN = "unknown";

  /** This machine, now. */
  static Machine read() {
    return new Machine(
        field(Path.of("/proc/cpuinfo"), "model name\\s*:\\s*(.+)", UNKNOWN),
        Runtime.getRuntime().availableProcessors(),
        readCaches(),
        kibibytes(Path.of("/proc/meminfo"), "MemTotal"),
        System.getProperty("os.name") + " " + System.getProperty("os.arch"),
        field(HUGE_PAGES, "\\[(\\w+)\\]", UNKNOWN),
        Double.parseDouble(field(Path.of("/proc/loadavg"), "^(\\S+)", "0")));
  }

  /** In a few words. */
  String summary() {
    return "%s, %d cores".formatted(cpu, cores);
  }

  /** Most memory that this process ever had resident, 0 when the system does not tell. */
  static long peakRssBytes() {
    return kibibytes(Path.of("/proc/self/status"), "VmHWM");
  }

  /** Memory of this process that is no file's, 0 when the system does not tell. */
  static long ownBytes() {
    return kibibytes(Path.of("/proc/self/status"), "RssAnon");
  }

  /** Memory that a new process may take, 0 when the system does not tell. */
  static long availableBytes() {
    return kibibytes(Path.of("/proc/meminfo"), "MemAvailable");
  }

  private static List<String> readCaches() {
    var caches = new ArrayList<String>();
    for (int index = 0; Files.exists(CACHES.resolve("index" + index)); index++) {
      Path cache = CACHES.resolve("index" + index);
      if (!field(cache.resolve("type"), "(.+)", UNKNOWN).equals("Instruction")) {
        caches.add(
            "L%s %s"
                .formatted(
                    field(cache.resolve("level"), "(.+)", UNKNOWN),
                    field(cache.resolve("size"), "(.+)", UNKNOWN)));
      }
    }
    return caches;
  }

  private static long kibibytes(Path file, String name) {
    return 1024 * Long.parseLong(field(file, name + ":\\s+(\\d+) kB", "0"));
  }

  /** The first group of the first match in a small file. */
  private static String field(Path file, String pattern, String otherwise) {
    if (!Files.isReadable(file)) {
      return otherwise;
    }
    try {
      var match = Pattern.compile(pattern, Pattern.MULTILINE).matcher(Files.readString(file));
      return match.find() ? match.group(1).strip() : otherwise;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}
