// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The files of kernels in the sources of this module; tests run in its folder. */
final class KernelFiles {
  static final Path FOLDER = Path.of("src/main/resources/megaclass/cuda").toAbsolutePath();

  private KernelFiles() {}

  /** Their names, without ".cu". */
  static List<String> names() {
    try (var files = Files.newDirectoryStream(FOLDER, "*.cu")) {
      var names = new java.util.ArrayList<String>();
      for (Path file : files) {
        names.add(String.valueOf(file.getFileName()).replace(".cu", ""));
      }
      return names.stream().sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
