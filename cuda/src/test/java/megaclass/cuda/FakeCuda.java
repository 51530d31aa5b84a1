// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The interface of the CUDA driver over memory of the host, written in Java, for tests of the
 * binding. It loads any machine code, has each kernel that is asked for, and remembers launches
 * instead of running them. Kernels themselves run in {@code HostCuda}.
 */
final class FakeCuda {
  static final int OUT_OF_MEMORY = 2;
  private static final long TOTAL = 3L << 30;
  private static final long CONTEXT = 11;
  private static final long STREAM = 22;

  /**
   * A launch.
   *
   * @param shape blocks in x and y, threads, bytes of shared memory
   * @param slots what the pointers to arguments lead to, 64 bits each
   */
  record Launch(String kernel, List<Integer> shape, List<Long> slots) {}

  final FakeLibrary library = new FakeLibrary();
  final FakeNvrtc nvrtc = new FakeNvrtc(0);
  final List<Launch> launches = new ArrayList<>();

  /** Blocks of device and of page-locked memory that are not freed, by address. */
  final Map<Long, MemorySegment> memory = new HashMap<>();

  /** Other things that are not yet destroyed: contexts, streams, modules, events. */
  int open;

  /** Bytes a request for which is refused. */
  long limit = TOTAL;

  /** Major number of the compute capability. */
  int capability = 9;

  /** How often somebody waited for the stream. */
  int waits;

  /** How many arguments the next launch has. */
  int numArguments;

  private final List<String> names = new ArrayList<>();
  private final Arena arena = Arena.ofAuto();

  FakeCuda() {
    library
        .with("cuInit", "i", _ -> 0)
        .with("cuDriverGetVersion", "p", a -> putInt(a[0], 13_010))
        .with("cuDeviceGetCount", "p", a -> putInt(a[0], 2))
        .with("cuDeviceGet", "pi", a -> putInt(a[0], 40 + (int) a[1]))
        .with("cuDeviceGetName", "pii", a -> putText(a[0], "Fake " + a[2]))
        .with("cuDeviceGetAttribute", "pii", this::attribute)
        .with("cuDevicePrimaryCtxRetain", "pi", a -> make(a[0], CONTEXT))
        .with("cuDevicePrimaryCtxRelease_v2", "i", _ -> gone())
        .with("cuCtxSetCurrent", "l", a -> require((long) a[0] == CONTEXT))
        .with("cuMemGetInfo_v2", "pp", FakeCuda::memoryInfo)
        .with("cuMemAlloc_v2", "pl", a -> allocate(a[0], (long) a[1]))
        .with("cuMemFree_v2", "l", a -> free((long) a[0]))
        .with("cuMemHostAlloc", "pli", a -> allocate(a[0], (long) a[1]))
        .with("cuMemFreeHost", "p", a -> free(((MemorySegment) a[0]).address()))
        .with("cuMemcpyHtoDAsync_v2", "lpll", a -> copy(at(a[0]), a[1], a[2], a[3]))
        .with("cuMemcpyDtoHAsync_v2", "plll", a -> copy(a[0], at(a[1]), a[2], a[3]))
        .with("cuMemcpyDtoDAsync_v2", "llll", a -> copy(at(a[0]), at(a[1]), a[2], a[3]))
        .with("cuMemsetD32Async", "lill", FakeCuda::fill)
        .with("cuModuleLoadData", "pp", a -> make(a[0], 33))
        .with("cuModuleUnload", "l", _ -> gone())
        .with("cuModuleGetFunction", "plp", this::function)
        .with("cuLaunchKernel", "liiiiiiilpp", this::launch)
        .with("cuFuncSetAttribute", "lii", a -> require((int) a[1] == 8))
        .with("cuStreamCreate", "pi", a -> make(a[0], STREAM))
        .with("cuStreamSynchronize", "l", this::synchronize)
        .with("cuStreamDestroy_v2", "l", _ -> gone())
        .with("cuEventCreate", "pi", a -> make(a[0], 100 + open))
        .with("cuEventRecord", "ll", a -> require((long) a[1] == STREAM))
        .with("cuStreamWaitEvent", "lli", a -> require((long) a[0] == STREAM && (int) a[2] == 0))
        .with("cuEventSynchronize", "l", _ -> 0)
        .with("cuEventElapsedTime", "pll", a -> putInt(a[0], Float.floatToIntBits(250f)))
        .with("cuEventDestroy_v2", "l", _ -> gone())
        .with("cuGetErrorName", "ip", a -> putAddress(a[1], "CUDA_ERROR_" + a[0]))
        .with("cuGetErrorString", "ip", a -> putAddress(a[1], "text of " + a[0]));
  }

  CudaLibraries libraries() {
    var functions = new NativeFunctions(library);
    return new CudaLibraries(functions, functions, nvrtc.functions());
  }

  Device open(Path cacheFolder) {
    return Device.open(libraries(), 0, cacheFolder);
  }

  private int putInt(Object into, int value) {
    FakeLibrary.putInt(into, value);
    return 0;
  }

  private int putAddress(Object into, String text) {
    FakeLibrary.putAddress(into, library.string(text));
    return 0;
  }

  private static int putText(Object into, String text) {
    ((MemorySegment) into).reinterpret(text.length() + 1).setString(0, text);
    return 0;
  }

  private static int require(boolean asExpected) {
    return asExpected ? 0 : 400;
  }

  private int make(Object into, long handle) {
    FakeLibrary.putLong(into, handle);
    open++;
    return 0;
  }

  private int gone() {
    open--;
    return 0;
  }

  /** Compute capability with the minor number 0, 7 multiprocessors. */
  private int attribute(Object... a) {
    int value =
        switch ((int) a[1]) {
          case 16 -> 7;
          case 75 -> capability;
          case 76 -> 0;
          default -> -1;
        };
    FakeLibrary.putInt(a[0], value);
    return 0;
  }

  private static int memoryInfo(Object... a) {
    FakeLibrary.putLong(a[0], TOTAL / 2);
    FakeLibrary.putLong(a[1], TOTAL);
    return 0;
  }

  /** New memory is full of rubbish, as that of a device is. */
  private int allocate(Object into, long bytes) {
    if (bytes > limit) {
      return OUT_OF_MEMORY;
    }
    var block = arena.allocate(bytes, 256).fill((byte) 0xa5);
    memory.put(block.address(), block);
    FakeLibrary.putLong(into, block.address());
    return 0;
  }

  private int free(long address) {
    return require(memory.remove(address) != null);
  }

  private static MemorySegment at(Object address) {
    return MemorySegment.ofAddress((long) address);
  }

  private static int copy(Object to, Object from, Object bytes, Object stream) {
    long length = (long) bytes;
    ((MemorySegment) to).reinterpret(length).copyFrom(((MemorySegment) from).reinterpret(length));
    return require((long) stream == STREAM);
  }

  private static int fill(Object... a) {
    long words = (long) a[2];
    var memory = at(a[0]).reinterpret(4 * words);
    for (long i = 0; i < words; i++) {
      memory.setAtIndex(JAVA_INT, i, (int) a[1]);
    }
    return require((long) a[3] == STREAM);
  }

  private int synchronize(Object... a) {
    waits++;
    return require((long) a[0] == STREAM);
  }

  private int function(Object... a) {
    names.add(FakeLibrary.textAt(a[2]));
    FakeLibrary.putLong(a[0], names.size());
    return 0;
  }

  private int launch(Object... a) {
    var pointers = ((MemorySegment) a[9]).reinterpret(8L * numArguments);
    var slots = new ArrayList<Long>();
    for (int i = 0; i < numArguments; i++) {
      slots.add(pointers.getAtIndex(ADDRESS, i).reinterpret(8).get(JAVA_LONG, 0));
    }
    String name = names.get((int) (long) a[0] - 1);
    var shape = List.of((int) a[1], (int) a[2], (int) a[4], (int) a[7]);
    launches.add(new Launch(name, shape, slots));
    boolean flat = (int) a[3] == 1 && (int) a[5] == 1 && (int) a[6] == 1;
    boolean tooWide = (int) a[2] > 65_535;
    return tooWide ? 1 : require(flat && (long) a[8] == STREAM);
  }
}
