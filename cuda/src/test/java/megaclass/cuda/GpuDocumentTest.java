// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

/** docs/gpu.md says of every file of kernels what has been verified. */
class GpuDocumentTest {
  @Test
  void everyFileOfKernelsHasALineInTheTable() throws IOException {
    String page = Files.readString(Path.of("../docs/gpu.md"));
    var missing = new ArrayList<String>();
    for (String name : KernelFiles.names()) {
      String link =
          "[%s.cu](../cuda/src/main/resources/megaclass/cuda/%s.cu)".formatted(name, name);
      if (page.lines().noneMatch(line -> line.startsWith("| ") && line.contains(link))) {
        missing.add(link);
      }
    }
    assertEquals("", String.join("\n", missing), "not in the table of docs/gpu.md");
  }
}
