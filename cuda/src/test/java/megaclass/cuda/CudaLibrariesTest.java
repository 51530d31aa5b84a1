// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaLibrariesTest {
  @TempDir Path folder;

  @Test
  void aMissingDriverIsSaidInASentenceThatHelps() {
    assumeFalse(hasDriver(), "this machine has an NVIDIA driver");
    assertEquals(
        "the NVIDIA driver (libcuda.so.1) was not found; the cuda backend needs an NVIDIA GPU and"
            + " its driver. If they are there, let -Dmegaclass.cuda.path=FOLDER name the folder of"
            + " libcuda.so.1",
        messageOf(new CudaLibraries.Search(List.of(folder), List.of())));
  }

  @Test
  void aFileThatIsNoLibraryIsNamed() throws IOException {
    var file = Files.writeString(folder.resolve("libcuda.so.1"), "no library");
    assertEquals(
        file + " cannot be loaded; `ldd " + file
            + "` names the libraries that it needs and that are missing",
        messageOf(new CudaLibraries.Search(List.of(folder), List.of())));
  }

  @Test
  void packagesOfPythonAreAmongTheUsualFolders() throws IOException {
    var expected = List.of(
        Files.createDirectories(
            folder.resolve("venv/lib/python3.12/site-packages/nvidia/cu13/lib")),
        Files.createDirectories(
            folder.resolve("home/.local/lib/python3.9/site-packages/nvidia/cublas/lib")));
    var environment =
        Map.of(
            "VIRTUAL_ENV", folder.resolve("venv").toString(),
            "HOME", folder.resolve("home").toString());
    assertEquals(
        expected,
        CudaLibraries.usualFolders(environment).stream()
            .filter(found -> found.startsWith(folder) && found.endsWith("lib"))
            .filter(found -> found.toString().contains("nvidia"))
            .toList());
  }

  private static String messageOf(CudaLibraries.Search search) {
    return String.valueOf(
        assertThrows(CudaException.class, search::libraries).getMessage());
  }

  private static boolean hasDriver() {
    try {
      return SymbolLookup.libraryLookup("libcuda.so.1", Arena.global()) != null;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
