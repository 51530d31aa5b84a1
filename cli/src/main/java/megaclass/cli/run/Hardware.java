// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import megaclass.cli.text.Quantity;

/** The machine a run ran on, in words. */
final class Hardware {
  private Hardware() {}

  /** Processor, number of processors, memory, system, Java. */
  static Map<String, Object> describe() {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    var facts = new LinkedHashMap<String, Object>();
    facts.put("processor", processor());
    facts.put("processors", Runtime.getRuntime().availableProcessors());
    facts.put("memory", Quantity.bytes(system.getTotalMemorySize()));
    facts.put("system", system.getName() + " " + system.getArch());
    facts.put("java", Runtime.version().toString());
    return facts;
  }

  private static String processor() {
    var file = Path.of("/proc/cpuinfo");
    if (!Files.isReadable(file)) {
      return ManagementFactory.getOperatingSystemMXBean().getArch();
    }
    try (var lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(ManagementFactory.getOperatingSystemMXBean().getArch());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }
}
