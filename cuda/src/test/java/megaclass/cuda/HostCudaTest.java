// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The emulation runs right kernels right, and says what is wrong with wrong ones. */
@SuppressWarnings("try") // settings of the emulation are there to be closed
class HostCudaTest {
  private static final String NO_FAULTS = "faults of kernels are caught on x86-64 with Linux only";

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

  // ---- what a device does

  @Test
  void itSaysThatItIsNoGpu() {
    assertTrue(device.description().startsWith("CPU emulation (not a GPU)"), device.description());
  }

  @Test
  void threadsMeetAtBarriers() {
    meetAtBarriers();
  }

  private void meetAtBarriers() {
    int blocks = 5;
    int[] values = new SplittableRandom(1).ints(128L * blocks, -1000, 1000).toArray();
    int[] expected =
        IntStream.range(0, blocks)
            .map(b -> IntStream.range(128 * b, 128 * (b + 1)).map(i -> values[i]).sum())
            .toArray();
    try (var _ = HostCuda.bothOrders();
        var from = DeviceArrays.upload(device, values);
        var into = device.allocate(4L * blocks)) {
      launch("halving_sums", blocks, 128, 0, from.address(), into.address());
      assertArrayEquals(expected, ints(into, blocks));
    }
  }

  @Test
  void lanesSeeWhatOthersGive() {
    int[] values = IntStream.range(100, 132).toArray();
    int[] expected = new int[128];
    for (int lane = 0; lane < 32; lane++) {
      expected[lane] = values[7];
      expected[32 + lane] = values[lane ^ 5];
      expected[64 + lane] = values[lane < 3 ? lane : lane - 3];
      expected[96 + lane] = values[lane > 28 ? lane : lane + 3];
    }
    try (var _ = HostCuda.bothOrders();
        var from = DeviceArrays.upload(device, values);
        var into = device.allocate(4 * 128)) {
      launch("shuffles", 1, 32, 0, from.address(), into.address());
      assertArrayEquals(expected, ints(into, 128));
    }
  }

  @Test
  void warpsAddUpPrefixes() {
    int count = 3 * 96;
    float[] values = new float[count];
    float[] expected = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = i % 11;
      expected[i] = (i % 32 == 0 ? 0 : expected[i - 1]) + values[i];
    }
    try (var _ = HostCuda.bothOrders();
        var from = DeviceArrays.upload(device, values);
        var into = device.allocate(4L * count)) {
      launch("warp_prefix_sums", 3, 96, 0, from.address(), into.address());
      assertArrayEquals(expected, DeviceArrays.floats(device, into, count));
    }
  }

  @Test
  void warpsVote() {
    int[] values = new SplittableRandom(3).ints(64 * 2, -1, 2).toArray();
    int[] expected = new int[4];
    for (int i = 0; i < values.length; i++) {
      expected[i / 32] |= values[i] > 0 ? 1 << (i % 32) : 0;
    }
    try (var from = DeviceArrays.upload(device, values);
        var into = device.allocate(4 * 4)) {
      launch("ballots", 2, 64, 0, from.address(), into.address());
      assertArrayEquals(expected, ints(into, 4));
    }
  }

  @Test
  void tilesAreTransposedInDynamicSharedMemory() {
    int rows = 45;
    int columns = 70;
    float[] values = new float[rows * columns];
    float[] expected = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
      expected[i % columns * rows + i / columns] = i;
    }
    try (var _ = HostCuda.bothOrders();
        var from = DeviceArrays.upload(device, values);
        var into = device.allocate(4L * values.length)) {
      device
          .kernel("selftest", "transpose")
          .launch(3, 2, 128, 4 * 32 * 33, from.address(), into.address(), rows, columns);
      assertArrayEquals(expected, DeviceArrays.floats(device, into, values.length));
    }
  }

  @Test
  void integerAtomicsCount() {
    int[] values = new SplittableRandom(4).ints(1000, 3, 17).toArray();
    int[] expected = new int[20];
    IntStream.of(values).forEach(value -> expected[value]++);
    try (var _ = HostCuda.bothOrders();
        var from = DeviceArrays.upload(device, values);
        var counts = device.allocate(4 * 20);
        var extremes = DeviceArrays.upload(device, Integer.MAX_VALUE, Integer.MIN_VALUE)) {
      launch("count_values", 4, 64, 0, from.address(), 1000, counts.address(), extremes.address());
      assertArrayEquals(expected, ints(counts, 20));
      assertArrayEquals(new int[] {3, 16}, ints(extremes, 2));
    }
  }

  // ---- what it catches

  @Test
  void writesPastABufferAreCaught() {
    assumeTrue(HostCuda.catchesFaults(), NO_FAULTS);
    try (var into = device.allocate(4 * 100)) {
      assertFails(
          "kernel write_at of selftest.cu, block (0, 0), thread (3, 0): writes 3584 bytes past a"
              + " buffer of 416 bytes",
          "write_at",
          32,
          into.address(),
          1000);
    }
  }

  @Test
  void readsPastABufferAreCaught() {
    assumeTrue(HostCuda.catchesFaults(), NO_FAULTS);
    try (var from = device.allocate(4 * 100);
        var into = device.allocate(4)) {
      assertFails(
          "thread (0, 0): reads 0 bytes past a buffer of 416 bytes",
          "read_at",
          1,
          from.address(),
          104,
          into.address());
    }
  }

  @Test
  void writesBeforeABufferAreCaught() {
    try (var into = device.allocate(4 * 100)) {
      assertFails(
          "kernel write_at: bytes before a buffer of 416 bytes were written",
          "write_at",
          32,
          into.address(),
          -1);
    }
  }

  @Test
  void writesJustPastABufferAreCaught() {
    long address = device.enter().allocate(10);
    assertFails(
        "kernel write_at: bytes past a buffer of 10 bytes were written",
        "write_at",
        32,
        address,
        2);
    device.enter().free(address, device.stream());
  }

  @Test
  void addressesOfNoBufferAreCaught() {
    assumeTrue(HostCuda.catchesFaults(), NO_FAULTS);
    try (var into = device.allocate(4)) {
      assertFails("reads address (nil), where no buffer is", "read_at", 1, 0, 0, into.address());
    }
  }

  @Test
  void misalignedVectorsAndIndexesOutsideOfArraysAreCaught() {
    assumeTrue(HostCuda.catchesFaults(), NO_FAULTS);
    try (var from = device.allocate(4 * 100);
        var into = device.allocate(4)) {
      assertFails("a misaligned address", "read_four", 1, from.address(), 1, into.address());
      assertFails(
          "an index outside of a declared array",
          "read_local",
          1,
          from.address(),
          4,
          into.address());
    }
  }

  @Test
  void divisionByZeroIsCaught() {
    assumeTrue(HostCuda.catchesFaults(), NO_FAULTS);
    try (var into = device.allocate(4)) {
      assertFails("divides an integer by zero", "divide", 1, 7, 0, into.address());
    }
  }

  @Test
  void localVariablesThatDoNotFitAreCaught() {
    assumeTrue(HostCuda.catchesFaults(), NO_FAULTS);
    try (var values = device.allocate(4 * 4);
        var into = device.allocate(4)) {
      assertFails(
          "more than 60 KiB of local variables",
          "large_locals",
          32,
          values.address(),
          into.address());
    }
  }

  @Test
  void writesOutsideOfDynamicSharedMemoryAreCaught() {
    var e =
        assertThrows(
            CudaException.class,
            () -> device.kernel("selftest", "write_shared").launch(1, 1, 32, 64, 64));
    assertContains("writes outside of its 64 bytes of dynamic shared memory", e);
  }

  @Test
  void sharedMemoryThatNobodyWroteIsNaN() {
    try (var into = device.allocate(4 * 6)) {
      launch("read_unwritten", 3, 2, 0, into.address());
      float nan = Float.NaN;
      assertArrayEquals(new float[] {0, nan, 1, nan, 2, nan}, DeviceArrays.floats(device, into, 6));
    }
  }

  @Test
  void barriersThatSomeThreadsMissAreCaught() {
    failAtABarrier();
  }

  private void failAtABarrier() {
    try (var into = device.allocate(4 * 64)) {
      for (int upper = 0; upper < 2; upper++) {
        assertFails(
            "was reached by 32 of 64 threads, and 32 have returned; all must reach it",
            "half_a_barrier",
            64,
            upper,
            into.address());
      }
      assertFails(
          "threads wait in different __syncthreads, at selftest.cu:",
          "two_barriers",
          64,
          into.address());
    }
  }

  @Test
  void warpFunctionsThatSomeLanesMissAreCaught() {
    try (var into = device.allocate(4 * 64)) {
      assertFails(
          "was reached by 16 of the 32 lanes of warp 0; all must reach it",
          "half_a_warp",
          64,
          into.address());
      assertFails(
          "lanes of warp 0 wait in __shfl_xor_sync (selftest.cu:",
          "mixed_warp",
          32,
          into.address());
      assertFails(
          "in a block of 33 threads, which are not whole warps", "mixed_warp", 33, into.address());
    }
  }

  @Test
  void racesAreCaughtByRunningInBothOrders() {
    try (var _ = HostCuda.bothOrders();
        var into = device.allocate(4 * 128)) {
      assertFails(
          "a race: its result depends on the order", "race_of_threads", 128, into.address());
      var e =
          assertThrows(
              CudaException.class, () -> launch("race_of_blocks", 2, 32, 0, into.address()));
      assertContains("byte 0 of a buffer of 528 bytes", e);
    }
  }

  @Test
  void theDeviceGoesOnAfterAFailure() {
    failAtABarrier();
    meetAtBarriers();
  }

  private void launch(String kernel, int blocks, int threads, int shared, long... arguments) {
    device.kernel("selftest", kernel).launch(blocks, 1, threads, shared, arguments);
  }

  private void assertFails(String text, String kernel, int threads, long... arguments) {
    assertContains(
        text, assertThrows(CudaException.class, () -> launch(kernel, 1, threads, 0, arguments)));
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
