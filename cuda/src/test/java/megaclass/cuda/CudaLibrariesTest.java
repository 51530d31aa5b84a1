// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaLibrariesTest {
  private final List<Path> links = new ArrayList<>();

  @TempDir Path folder;

  @Test
  void aMissingDriverIsSaidInASentenceThatHelps() {
    assumeFalse(isInstalled("libcuda.so.1"), "this machine has an NVIDIA driver");
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
        file
            + " cannot be loaded; `ldd "
            + file
            + "` names the libraries that it needs and that are missing",
        messageOf(new CudaLibraries.Search(List.of(folder), List.of())));
  }

  @Test
  void packagesOfPythonAreAmongTheUsualFolders() throws IOException {
    var expected =
        List.of(
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

  @Test
  void librariesOfEitherVersionAreFoundInTheGivenFolders() throws IOException {
    link("libcuda.so.1", "libcublas.so.13", "libnvrtc.so.12");
    var search = new CudaLibraries.Search(List.of(folder.resolve("none"), folder), List.of());
    try (var device = Device.open(search.libraries(), 0, folder)) {
      assertTrue(device.description().startsWith("CPU emulation"), device.description());
      device.kernel("rows", "gather_rows");
      device.gemm();
    }
  }

  @Test
  void noLibraryIsNewerThanTheDriver() {
    assertEquals(List.of(), CudaLibraries.Search.versions("lib.so.", 11));
    assertEquals(List.of("lib.so.12"), CudaLibraries.Search.versions("lib.so.", 12));
    assertEquals(List.of("lib.so.13", "lib.so.12"), CudaLibraries.Search.versions("lib.so.", 15));
  }

  @Test
  void missingCublasIsSaidWithTheVersionsThatTheDriverWorksWith() throws IOException {
    assumeFalse(isInstalled("libcublas.so.13") || isInstalled("libcublas.so.12"));
    link("libcuda.so.1", "libcublas.so.14");
    assertEquals(
        "cuBLAS was not found: none of [libcublas.so.13, libcublas.so.12]. Install CUDA or the"
            + " Python package nvidia-cublas, or let -Dmegaclass.cuda.path=FOLDER name the folder"
            + " of the library",
        messageOf(new CudaLibraries.Search(List.of(folder), List.of())));
  }

  @Test
  void ncclIsLookedForWhereItIsNeededAndMissingItIsSaid() throws IOException {
    assumeFalse(isInstalled("libnccl.so.2"), "this machine has NCCL");
    var search = new CudaLibraries.Search(List.of(folder), List.of());
    assertEquals(
        "NCCL (libnccl.so.2) was not found, which several GPUs need to share class weights; install"
            + " it, as with the Python package nvidia-nccl-cu13, let -Dmegaclass.cuda.path=FOLDER"
            + " name its folder, or take device.count 1",
        assertThrows(CudaException.class, search::nccl).getMessage());
    link("libnccl.so.2");
    assertTrue(search.nccl().has("ncclAllGather"));
  }

  @Test
  void withoutNvrtcThereAreNoKernelsButADevice() throws IOException {
    assumeFalse(isInstalled("libnvrtc.so.13") || isInstalled("libnvrtc.so.12"));
    link("libcuda.so.1", "libcublas.so.12");
    var search = new CudaLibraries.Search(List.of(folder), List.of());
    assertNull(search.libraries().nvrtc());
  }

  /** JUnit would warn of links that lead out of its folder. */
  @AfterEach
  void deleteLinks() throws IOException {
    for (Path link : links) {
      Files.delete(link);
    }
  }

  /** Gives the emulation of a device the names of CUDA's libraries. */
  private void link(String... names) throws IOException {
    assumeTrue(HostCudaBuild.hasCompiler(), "there is no g++");
    for (String name : names) {
      links.add(
          Files.createSymbolicLink(
              folder.resolve(name), HostCudaBuild.library(Path.of("").toAbsolutePath())));
    }
  }

  private static String messageOf(CudaLibraries.Search search) {
    return String.valueOf(assertThrows(CudaException.class, search::libraries).getMessage());
  }

  private static boolean isInstalled(String library) {
    try {
      return SymbolLookup.libraryLookup(library, Arena.global()) != null;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
