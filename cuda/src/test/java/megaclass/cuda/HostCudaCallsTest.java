// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The emulation's driver and cuBLAS: wrong calls are refused, products are right. */
class HostCudaCallsTest {
  private Device device;

  @BeforeEach
  void open() {
    assumeTrue(HostCuda.isEmulated(), "about the emulation, not about a GPU");
    device = HostCuda.open();
  }

  @AfterEach
  void close() {
    if (device != null) {
      device.close();
    }
  }

  @Test
  void copiesThatOverlapAreCaught() {
    try (var buffer = device.allocate(64)) {
      var e = assertThrows(CudaException.class, () -> device.copy(buffer, 0, buffer, 16, 32));
      assertContains("CUDA_ERROR_INVALID_VALUE (source and destination overlap)", e);
    }
  }

  @Test
  void gridsThatCudaRefusesAreCaught() {
    try (var into = device.allocate(4)) {
      var kernel = device.kernel("selftest", "race_of_blocks");
      for (int[] size : new int[][] {{0, 1, 32}, {1, 65536, 32}, {1, 1, 1025}}) {
        var e =
            assertThrows(
                CudaException.class,
                () -> kernel.launch(size[0], size[1], size[2], 0, into.address()));
        assertContains("CUDA_ERROR_INVALID_VALUE (size of the grid or of its blocks)", e);
      }
    }
  }

  @Test
  void threadsNeedAContext() throws InterruptedException {
    var driver = device.enter();
    var failure = new AtomicReference<Throwable>();
    var other = new Thread(driver::createEvent);
    other.setUncaughtExceptionHandler((_, e) -> failure.set(e));
    other.start();
    other.join();
    assertTrue(
        String.valueOf(failure.get()).contains("no context is current for this thread"),
        () -> String.valueOf(failure.get()));
  }

  @Test
  void aFullDeviceSaysSo() {
    try (var _ = HostCuda.memory(1 << 20);
        var _ = device.allocate(1 << 19)) {
      assertEquals(1 << 20, device.totalBytes());
      assertThrows(DeviceMemoryException.class, () -> device.allocate(1 << 19));
    }
  }

  @Test
  void lateCopiesSeeWhatTheHostHasChanged() {
    try (var _ = HostCuda.late();
        var into = device.allocate(4)) {
      var pinned = device.allocatePinned(4);
      pinned.set(JAVA_INT, 0, 1);
      device.upload(pinned, into, 0);
      pinned.set(JAVA_INT, 0, 2); // too early: the copy has not run
      assertArrayEquals(new int[] {2}, ints(into, 1));
    }
  }

  @Test
  void aDownloadBesideSeesWhatWasAskedBeforeItAndWaitsForNothingElse() {
    try (var _ = HostCuda.late();
        var first = device.allocate(4);
        var second = device.allocate(4);
        var other = device.allocate(4)) {
      device.synchronize();
      var from = device.allocatePinned(4);
      var into = device.allocatePinned(4);
      for (int value = 1; value < 3; value++) { // the event is recorded anew
        from.set(JAVA_INT, 0, value);
        device.upload(from, first, 0);
        device.copy(first, 0, second, 0, 4);
        device.downloadBeside(second, 0, into);
        device.copy(second, 0, other, 0, 4);
        assertEquals(6, HostCuda.pending(), "with the event, and the wait for it");
        device.awaitDownloads();
        assertEquals(value, into.get(JAVA_INT, 0));
        assertEquals(1, HostCuda.pending());
        assertArrayEquals(new int[] {value}, ints(other, 1));
      }
    }
  }

  // ---- products

  @Test
  void productsAreThoseOfPlainLoops() {
    var random = new SplittableRandom(5);
    for (int[] size : new int[][] {{1, 1, 1}, {7, 5, 3}, {33, 65, 300}, {260, 390, 17}}) {
      for (int transposed = 0; transposed < 4; transposed++) {
        for (var precision : Gemm.Precision.values()) {
          new HostProduct(size[0], size[1], size[2], transposed, precision, random).check(device);
        }
      }
    }
  }

  private static void assertContains(String text, CudaException e) {
    String message = String.valueOf(e.getMessage());
    assertTrue(message.contains(text), message);
  }

  private int[] ints(DeviceBuffer from, int count) {
    try (var arena = Arena.ofConfined()) {
      var into = arena.allocate(JAVA_INT, count);
      device.download(from, 0, into);
      return into.toArray(JAVA_INT);
    }
  }
}
