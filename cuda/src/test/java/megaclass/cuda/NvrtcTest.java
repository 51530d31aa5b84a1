// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The real NVRTC, which needs no GPU, where it is found: {@code -Dmegaclass.cuda.path=FOLDER} names
 * its folder, for example that of the Python package nvidia-cuda-nvrtc.
 */
class NvrtcTest {
  private static Nvrtc nvrtc;

  @TempDir Path folder;

  @BeforeAll
  static void requireNvrtc() {
    var found = CudaLibraries.Search.ofThisMachine().nvrtc(Integer.MAX_VALUE);
    if (found.isEmpty()) {
      System.out.println("NVRTC was not found: the kernels were not compiled with it");
    }
    assumeTrue(found.isPresent(), "NVRTC was not found");
    nvrtc = new Nvrtc(found.get());
  }

  @Test
  void itSaysItsVersion() {
    assertTrue(nvrtc.version().matches("1[23][.]\\d+"), nvrtc.version());
  }

  @Test
  void everyKernelCompilesToMachineCodeOnce() {
    var cache = new KernelCache(folder, nvrtc);
    for (String name : KernelFiles.names()) {
      for (int computeCapability : new int[] {80, 90}) {
        byte[] image = cache.image(KernelSource.read(name), computeCapability);
        assertEquals("\177ELF", new String(Arrays.copyOf(image, 4)), name + " is a cubin");
        assertArrayEquals(
            image, new KernelCache(folder, null).image(KernelSource.read(name), computeCapability));
      }
    }
  }

  @Test
  void anErrorOfTheCompilerIsShownWithItsLine() {
    var source =
        new KernelSource("bad", "#include \"common.cuh\"\n\nint a = b;\n", "#define C 1\n");
    String message =
        String.valueOf(
            assertThrows(
                    CudaException.class,
                    () -> nvrtc.compile(source, List.of("--gpu-architecture=sm_90")))
                .getMessage());
    assertTrue(message.startsWith("bad.cu does not compile (NVRTC_ERROR_COMPILATION):\n"), message);
    assertTrue(message.contains("bad.cu(3): error: identifier \"b\" is undefined"), message);
  }
}
