// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class DeviceTest {
  private final FakeCuda cuda = new FakeCuda();

  @TempDir Path cache;

  @Test
  void aDeviceSaysWhatItIs() {
    try (var device = Device.open(cuda.libraries(), 1, cache)) {
      assertEquals(
          "Fake 41, compute capability 9.0, 3.0 GiB, driver for CUDA 13.1", device.description());
      assertEquals(90, device.computeCapability());
      assertEquals(7, device.multiprocessors());
      assertEquals(3L << 30, device.totalBytes());
      assertEquals(3L << 29, device.freeBytes());
    }
  }

  @Test
  void aDeviceThatIsNotThereIsNamed() {
    for (int ordinal : new int[] {-1, 2}) {
      assertEquals(
          "there is no GPU number " + ordinal + "; this machine has 2, and numbers begin with 0",
          messageOf(CudaException.class, () -> Device.open(cuda.libraries(), ordinal, cache)));
    }
  }

  @Test
  void anOldDeviceIsRefused() {
    cuda.capability = 7;
    assertEquals(
        "Fake 40 has compute capability 7.0, but the cuda backend needs 8.0 (A100, RTX 30) or"
            + " newer",
        messageOf(CudaException.class, () -> cuda.open(cache)));
    assertEquals(0, cuda.open);
  }

  @Test
  void onlyUploadsFromPageLockedMemoryGoOnAfterTheCall() {
    try (var device = cuda.open(cache);
        var arena = Arena.ofConfined()) {
      var buffer = device.allocate(8);
      var pinned = device.allocatePinned(8);
      device.upload(pinned, buffer, 0);
      device.upload(pinned.asSlice(4), buffer, 0);
      assertEquals(0, cuda.waits);
      device.upload(arena.allocate(8), buffer, 0);
      assertEquals(1, cuda.waits);
    }
  }

  @Test
  void newMemoryIsZero() {
    try (var device = cuda.open(cache)) {
      for (int bytes : new int[] {0, 1, 3, 4, 15, 16, 17, 1000}) {
        assertArrayEquals(new byte[bytes], bytes(device, device.allocate(bytes)));
      }
      assertArrayEquals(new byte[5], device.allocatePinned(5).toArray(JAVA_BYTE));
    }
  }

  @Test
  void whatIsUploadedIsDownloadedFromTheSameOffset() {
    try (var device = cuda.open(cache);
        var arena = Arena.ofConfined()) {
      var buffer = device.allocate(10);
      device.upload(arena.allocateFrom(JAVA_BYTE, (byte) 1, (byte) 2, (byte) 3), buffer, 4);
      device.upload(arena.allocate(0), buffer, 10);
      assertArrayEquals(new byte[] {0, 0, 0, 0, 1, 2, 3, 0, 0, 0}, bytes(device, buffer));
      var two = arena.allocate(2);
      device.download(buffer, 5, two);
      assertArrayEquals(new byte[] {2, 3}, two.toArray(JAVA_BYTE));
    }
  }

  @Test
  void partsAreCopiedAndFilledAndNothingBesideThem() {
    try (var device = cuda.open(cache)) {
      var from = device.allocate(16);
      var to = device.allocate(20);
      device.fill(from, 4, 8, 0x04030201);
      device.copy(from, 5, to, 1, 6);
      assertArrayEquals(
          new byte[] {0, 2, 3, 4, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
          bytes(device, to));
      assertEquals(
          "offset and bytes must be multiples of 4, but were 4 and 7",
          messageOf(IllegalArgumentException.class, () -> device.fill(from, 4, 7, 0)));
    }
  }

  @Test
  void nothingOutsideOfABufferIsTouched() {
    try (var device = cuda.open(cache);
        var arena = Arena.ofConfined()) {
      var buffer = device.allocate(10);
      var other = device.allocate(10);
      var three = arena.allocate(3);
      Map<String, Executable> outside =
          Map.of(
              "bytes [8, 11) are not inside a buffer of 10 bytes",
              () -> device.upload(three, buffer, 8),
              "bytes [-1, 2) are not inside a buffer of 10 bytes",
              () -> device.download(buffer, -1, three),
              "bytes [9, 12) are not inside a buffer of 10 bytes",
              () -> device.copy(buffer, 0, other, 9, 3),
              "bytes [10, 14) are not inside a buffer of 10 bytes",
              () -> device.fill(buffer, 10, 4, 0));
      outside.forEach(
          (message, call) ->
              assertEquals(message, messageOf(IllegalArgumentException.class, call)));
    }
  }

  @Test
  void aFullDeviceSaysWhatWasNeededAndWhatHelps() {
    cuda.limit = 1000;
    try (var device = cuda.open(cache)) {
      assertEquals(
          "the GPU has no 1.00 GiB of memory left: 1.50 GiB of 3.00 GiB are free; take a smaller"
              + " device.memory or dim, fewer classes, dtype = \"bf16\" or an optimizer without"
              + " momentum, or end other programs on it",
          messageOf(DeviceMemoryException.class, () -> device.allocate(1L << 30)));
      device.allocate(900);
    }
  }

  @Test
  void closingTheDeviceReleasesAllThatWasMadeOnIt() {
    var device = cuda.open(cache);
    var buffer = device.allocate(100);
    var closedBefore = device.allocate(50);
    var pinned = device.allocatePinned(10);
    device.record();
    device.kernel("rows", "gather_rows");
    closedBefore.close();
    closedBefore.close();
    assertEquals(2, cuda.memory.size());
    device.close();
    device.close();
    buffer.close();
    assertEquals(Map.of(), cuda.memory);
    assertEquals(0, cuda.open);
    assertThrows(IllegalStateException.class, () -> pinned.get(JAVA_BYTE, 0));
    assertEquals(
        "a buffer of 100 bytes on the GPU was used after it was closed",
        messageOf(IllegalStateException.class, buffer::address));
    assertEquals(
        "the GPU was used after it was closed",
        messageOf(IllegalStateException.class, () -> device.allocate(1)));
  }

  @Test
  void anotherThreadIsRefused() {
    try (var device = cuda.open(cache)) {
      var failure =
          assertThrows(
              CompletionException.class,
              () -> CompletableFuture.runAsync(device::synchronize).join());
      String message = String.valueOf(failure.getMessage());
      assertTrue(
          message.contains(
              "the GPU belongs to thread %s, but was used by thread "
                  .formatted(Thread.currentThread().getName())),
          message);
    }
  }

  @Test
  void aFailedCallIsNamedWithWhatCudaSays() {
    cuda.library.with("cuStreamSynchronize", "l", _ -> 700);
    var device = cuda.open(cache);
    assertEquals(
        "cuStreamSynchronize failed: CUDA_ERROR_700 (text of 700)",
        messageOf(CudaException.class, device::synchronize));
    assertThrows(CudaException.class, device::close);
    assertEquals(0, cuda.open, "released all the same");
  }

  @Test
  void secondsBetweenEventsComeFromEitherFunction() {
    try (var device = cuda.open(cache)) {
      assertEquals(0.25, device.seconds(device.record(), device.record()));
      cuda.library.with(
          "cuEventElapsedTime_v2",
          "pll",
          a -> {
            FakeLibrary.putInt(a[0], Float.floatToIntBits(500f));
            return 0;
          });
      assertEquals(0.5, device.seconds(device.record(), device.record()));
    }
  }

  @Test
  void argumentsOfAKernelArriveInOrderOneSlotEach() {
    try (var device = cuda.open(cache)) {
      var kernel = device.kernel("rows", "gather_rows");
      var names = KernelSource.read("rows").signature("gather_rows").parameters();
      long[] arguments = new long[names.size()];
      for (int i = 0; i < arguments.length; i++) {
        arguments[i] = names.get(i).equals("int") ? -1 - i : (1L << 40) + i;
      }
      cuda.numArguments = arguments.length;
      kernel.launch(5, 6, 128, 64, arguments);
      var launch = cuda.launches.getFirst();
      assertEquals("gather_rows", launch.kernel());
      assertEquals(List.of(5, 6, 128, 64), launch.shape());
      assertArrayEquals(arguments, launch.slots().stream().mapToLong(slot -> slot).toArray());
      assertEquals(
          "kernel gather_rows, 1 x 65536 blocks of 32 threads with 0 bytes: cuLaunchKernel failed:"
              + " CUDA_ERROR_1 (text of 1)",
          messageOf(CudaException.class, () -> kernel.launch(1, 65_536, 32, 0, arguments)));
    }
  }

  @Test
  void muchSharedMemoryIsAskedForOnce() {
    var asked = new ArrayList<Integer>();
    cuda.library.with(
        "cuFuncSetAttribute",
        "lii",
        a -> {
          asked.add((int) a[2]);
          return 0;
        });
    try (var device = cuda.open(cache)) {
      var kernel = device.kernel("rows", "gather_rows");
      long[] arguments =
          new long[KernelSource.read("rows").signature("gather_rows").parameters().size()];
      for (int shared : new int[] {48 << 10, 100_000, 90_000, 100_001}) {
        kernel.launch(1, 1, 32, shared, arguments);
      }
    }
    assertEquals(List.of(100_000, 100_001), asked);
  }

  @Test
  void kernelsOfOneFileAreCompiledOnce() {
    try (var device = cuda.open(cache)) {
      assertSame(device.kernel("rows", "gather_rows"), device.kernel("rows", "gather_rows"));
      device.kernel("rows", "update_rows");
    }
    assertEquals(1, cuda.nvrtc.compiled);
  }

  @Test
  void machineCodeThatTheDriverDoesNotLoadIsNamed() {
    cuda.library.with("cuModuleLoadData", "pp", _ -> 209);
    try (var device = cuda.open(cache)) {
      assertEquals(
          "cannot load rows.cu: cuModuleLoadData failed: CUDA_ERROR_209 (text of 209)",
          messageOf(CudaException.class, () -> device.kernel("rows", "gather_rows")));
    }
  }

  private static byte[] bytes(Device device, DeviceBuffer buffer) {
    try (var arena = Arena.ofConfined()) {
      var memory = arena.allocate(buffer.bytes());
      device.download(buffer, 0, memory);
      return memory.toArray(JAVA_BYTE);
    }
  }

  private static String messageOf(Class<? extends Throwable> type, Executable call) {
    return String.valueOf(assertThrows(type, call).getMessage());
  }
}
