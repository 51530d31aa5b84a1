// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelCacheTest {
  private static final KernelSource SOURCE = new KernelSource("kernels", "source\n", "header\n");

  private final FakeNvrtc nvrtc = new FakeNvrtc(0);

  @TempDir Path folder;

  @Test
  void theCompilerGetsSourceHeaderAndOptions() {
    assertEquals(
        """
        kernels.cu:
        source
        common.cuh:
        header

        --std=c++17
        --fmad=false
        --gpu-architecture=sm_90\
        """,
        new String(cache().image(SOURCE, 90), UTF_8));
    assertEquals(0, nvrtc.open, "programs not destroyed");
  }

  @Test
  void aFileIsCompiledOnce() {
    byte[] first = cache().image(SOURCE, 90);
    assertArrayEquals(first, cache().image(SOURCE, 90));
    assertEquals(1, nvrtc.compiled);
    assertEquals(1, files().size());
    assertTrue(
        name(files().getFirst()).matches("kernels-sm_90-[0-9a-f]{16}-nvrtc13[.]0[.]cubin"),
        () -> "named " + files());
  }

  @Test
  void whateverChangesTheCodeIsCompiledAnew() {
    cache().image(SOURCE, 90);
    cache().image(SOURCE, 80);
    cache().image(new KernelSource("kernels", "other\n", "header\n"), 90);
    cache().image(new KernelSource("kernels", "source\n", "other\n"), 90);
    assertEquals(4, nvrtc.compiled);
    var newer = new FakeNvrtc(1);
    new KernelCache(folder, newer.compiler()).image(SOURCE, 90);
    assertEquals(1, newer.compiled);
    assertEquals(5, files().size());
  }

  @Test
  void aDamagedFileIsCompiledAnew() throws IOException {
    byte[] image = cache().image(SOURCE, 90);
    var file = files().getFirst();
    byte[] bytes = Files.readAllBytes(file);
    int damaged = 0;
    for (int at : new int[] {0, 31, 32, bytes.length - 1}) {
      byte[] flipped = bytes.clone();
      flipped[at] ^= 1;
      Files.write(file, flipped);
      assertArrayEquals(image, cache().image(SOURCE, 90), "byte " + at);
      assertEquals(1 + ++damaged, nvrtc.compiled);
    }
    for (int length : new int[] {0, 10, 32, bytes.length - 1}) {
      Files.write(file, Arrays.copyOf(bytes, length));
      assertArrayEquals(image, cache().image(SOURCE, 90), length + " bytes left");
      assertEquals(1 + ++damaged, nvrtc.compiled);
    }
    assertArrayEquals(bytes, Files.readAllBytes(file));
  }

  @Test
  void withoutNvrtcTheCodeOfAnyVersionWillDo() {
    byte[] image = new KernelCache(folder, new FakeNvrtc(7).compiler()).image(SOURCE, 90);
    assertArrayEquals(image, new KernelCache(folder, null).image(SOURCE, 90));
  }

  @Test
  void withoutNvrtcAndAFileTheCodeOfTheBuildWillDo() {
    var shipped = new KernelSource("shipped", "source\n", "header\n");
    assertEquals(
        "what nvcc has compiled\n",
        new String(new KernelCache(folder, null).image(shipped, 90), UTF_8));
    byte[] image = cache().image(shipped, 90);
    assertArrayEquals(image, new KernelCache(folder, null).image(shipped, 90), "a file is newer");
  }

  @Test
  void withoutNvrtcAndCompiledCodeTheErrorSaysWhatToInstall() {
    new KernelCache(folder, nvrtc.compiler()).image(SOURCE, 80);
    for (Path searched : List.of(folder, folder.resolve("not/there"))) {
      assertEquals(
          "kernels cannot be compiled: NVRTC (libnvrtc.so.12 or .13, not newer than the driver) was"
              + " not found. Install CUDA or the Python package nvidia-cuda-nvrtc, or let"
              + " -Dmegaclass.cuda.path=FOLDER name the folder of the library",
          assertThrows(CudaException.class, () -> new KernelCache(searched, null).image(SOURCE, 90))
              .getMessage());
    }
  }

  @Test
  void whatDoesNotCompileIsReportedInTheWordsOfTheCompiler() {
    var bad = new KernelSource("bad", "#error so\n", "");
    assertEquals(
        "bad.cu does not compile (NVRTC_ERROR_COMPILATION):\nkernels.cu(1): error: #error \"so\"",
        assertThrows(CudaException.class, () -> cache().image(bad, 90)).getMessage());
    assertEquals(List.of(), files());
    assertEquals(0, nvrtc.open, "programs not destroyed");
  }

  @Test
  void aFolderThatCannotBeWrittenCostsOnlyTime() throws IOException {
    var inTheWay = Files.writeString(folder.resolve("file"), "no folder");
    var cache = new KernelCache(inTheWay.resolve("kernels"), nvrtc.compiler());
    assertArrayEquals(cache.image(SOURCE, 90), cache.image(SOURCE, 90));
    assertEquals(2, nvrtc.compiled);
  }

  private KernelCache cache() {
    return new KernelCache(folder, nvrtc.compiler());
  }

  private List<Path> files() {
    try (var files = Files.list(folder)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }
}
