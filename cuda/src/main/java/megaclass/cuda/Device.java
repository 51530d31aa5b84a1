// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import megaclass.internal.Check;
import org.jspecify.annotations.Nullable;

/**
 * One GPU, with one stream: what is asked of it happens in the order in which it is asked, and
 * mostly after the call has returned. Only {@link #downloadBeside} has a stream of its own. An
 * error of a kernel appears in a later call, and the device is of no more use.
 *
 * <p>Used by the thread that has opened it; closing it frees all that was allocated on it.
 */
final class Device implements AutoCloseable {
  /** Alignment of allocations; cudaMalloc's is 256. */
  private static final int GRAIN = 16;

  /** The first with bf16. */
  private static final int LEAST_CAPABILITY = 80;

  private final CudaDriver driver;
  private final CudaLibraries libraries;
  private final KernelCache cache;
  private final Thread owner = Thread.currentThread();
  private final Arena arena = Arena.ofShared();
  private final int device;
  private final long context;
  private final long stream;
  private final long besideStream;
  private final long besideFrom;

  private final Set<DeviceBuffer> buffers = new HashSet<>();
  private final Set<Event> events = new HashSet<>();
  private final List<MemorySegment> pinned = new ArrayList<>();
  private final Map<String, Long> modules = new HashMap<>();
  private final Map<String, Kernel> kernels = new HashMap<>();
  private @Nullable Gemm gemm;
  private boolean closed;

  private Device(CudaLibraries libraries, int ordinal, Path cacheFolder) {
    this.libraries = libraries;
    driver = new CudaDriver(libraries.driver());
    var nvrtc = libraries.nvrtc();
    cache = new KernelCache(cacheFolder, nvrtc == null ? null : new Nvrtc(nvrtc));
    driver.initialise();
    int count = driver.deviceCount();
    if (ordinal < 0 || ordinal >= count) {
      throw new CudaException(
          "there is no GPU number %d; this machine has %d, and numbers begin with 0"
              .formatted(ordinal, count));
    }
    device = driver.device(ordinal);
    requireCapability();
    context = driver.retainContext(device);
    driver.setCurrent(context);
    stream = driver.createStream();
    besideStream = driver.createStream();
    besideFrom = driver.createEvent();
  }

  /**
   * Opens a device; compiled kernels are kept in the usual folder.
   *
   * @param ordinal its number among the devices of this machine, from 0 on
   * @throws CudaException when there is none of that number, or it cannot be used
   */
  static Device open(CudaLibraries libraries, int ordinal) {
    return open(libraries, ordinal, KernelCache.usualFolder());
  }

  /** Opens a device; compiled kernels are kept in a folder. */
  static Device open(CudaLibraries libraries, int ordinal, Path cacheFolder) {
    return new Device(libraries, ordinal, cacheFolder);
  }

  private void requireCapability() {
    int capability = capability();
    if (capability < LEAST_CAPABILITY) {
      throw new CudaException(
          "%s has compute capability %d.%d, but the cuda backend needs 8.0 (A100, RTX 30) or newer"
              .formatted(driver.name(device), capability / 10, capability % 10));
    }
  }

  // ---- what it is

  String name() {
    return enter().name(device);
  }

  /** 90 for compute capability 9.0. */
  int computeCapability() {
    enter();
    return capability();
  }

  private int capability() {
    return 10 * driver.attribute(CudaDriver.COMPUTE_CAPABILITY_MAJOR, device)
        + driver.attribute(CudaDriver.COMPUTE_CAPABILITY_MINOR, device);
  }

  /** How many blocks run side by side at least. */
  int multiprocessors() {
    return enter().attribute(CudaDriver.MULTIPROCESSOR_COUNT, device);
  }

  long totalBytes() {
    return enter().memory().total();
  }

  long freeBytes() {
    return enter().memory().free();
  }

  /** As "NVIDIA H200, compute capability 9.0, 139.8 GiB, driver for CUDA 13.0". */
  String description() {
    int capability = computeCapability();
    int version = driver.version();
    return String.format(
        Locale.ROOT,
        "%s, compute capability %d.%d, %.1f GiB, driver for CUDA %d.%d",
        name(),
        capability / 10,
        capability % 10,
        totalBytes() / (double) (1L << 30),
        version / 1000,
        version % 1000 / 10);
  }

  // ---- memory

  /**
   * Allocates memory on the device, filled with zeros.
   *
   * @param bytes at least 0
   * @throws DeviceMemoryException when the device is full
   */
  DeviceBuffer allocate(long bytes) {
    Check.atLeast("bytes", bytes, 0);
    enter();
    long grains = bytes / GRAIN + 1;
    long address = driver.allocate(grains * GRAIN);
    driver.fill(address, 0, grains * (GRAIN / 4), stream);
    var buffer = new DeviceBuffer(this, address, bytes);
    buffers.add(buffer);
    return buffer;
  }

  /** Called by the buffer. */
  void free(DeviceBuffer buffer, long address) {
    if (buffers.remove(buffer)) {
      enter().free(address, stream);
    }
  }

  /**
   * Page-locked memory of the host, filled with zeros, for copies that run while the host goes on.
   * It lives as long as the device; any thread may use it.
   */
  MemorySegment allocatePinned(long bytes) {
    Check.positive("bytes", bytes);
    var memory = enter().allocateHost(bytes);
    pinned.add(memory);
    return memory.reinterpret(arena, null).fill((byte) 0);
  }

  /**
   * Copies to the device. From memory of {@link #allocatePinned} this returns at once, and the
   * memory must not change before the copy has run; from other memory it returns when all that was
   * asked of the device is done.
   *
   * @param from native memory, all of it
   * @param offset into {@code to}, in bytes
   */
  void upload(MemorySegment from, DeviceBuffer to, long offset) {
    long address = to.address(offset, from.byteSize());
    if (from.byteSize() > 0) {
      enter().copyToDevice(address, from, stream);
      if (!isPinned(from)) {
        // CUDA says that it "might" have read such memory when its call returns.
        driver.synchronize(stream);
      }
    }
  }

  private boolean isPinned(MemorySegment memory) {
    long from = memory.address();
    long to = from + memory.byteSize();
    return pinned.stream().anyMatch(p -> from >= p.address() && to <= p.address() + p.byteSize());
  }

  /**
   * Copies from the device, and waits for all that was asked of it.
   *
   * @param offset into {@code from}, in bytes
   * @param to native memory, filled wholly
   */
  void download(DeviceBuffer from, long offset, MemorySegment to) {
    downloadAsync(from, offset, to);
    synchronize();
  }

  /** As {@link #download}, but returns at once; {@code to} is page-locked and filled later. */
  void downloadAsync(DeviceBuffer from, long offset, MemorySegment to) {
    long address = from.address(offset, to.byteSize());
    if (to.byteSize() > 0) {
      enter().copyToHost(to, address, stream);
    }
  }

  /**
   * Copies what the calls up to now leave in a buffer, beside what is asked of the device later,
   * which must not write there before {@link #awaitDownloads}.
   *
   * @param offset into {@code from}, in bytes
   * @param to page-locked memory, filled wholly by {@link #awaitDownloads}
   */
  void downloadBeside(DeviceBuffer from, long offset, MemorySegment to) {
    long address = from.address(offset, to.byteSize());
    enter().record(besideFrom, stream);
    driver.waitFor(besideFrom, besideStream);
    driver.copyToHost(to, address, besideStream);
  }

  /** Waits for {@link #downloadBeside}, but not for what was asked of the device after it. */
  void awaitDownloads() {
    enter().synchronize(besideStream);
  }

  /** Copies on the device; the two parts must not overlap. */
  void copy(DeviceBuffer from, long fromOffset, DeviceBuffer to, long toOffset, long bytes) {
    long source = from.address(fromOffset, bytes);
    long target = to.address(toOffset, bytes);
    if (bytes > 0) {
      enter().copy(target, source, bytes, stream);
    }
  }

  /**
   * Fills a part of a buffer with a word of 32 bits.
   *
   * @param offset in bytes, a multiple of 4
   * @param bytes a multiple of 4
   */
  void fill(DeviceBuffer buffer, long offset, long bytes, int word32) {
    long address = buffer.address(offset, bytes);
    if (offset % 4 != 0 || bytes % 4 != 0) {
      throw new IllegalArgumentException(
          "offset and bytes must be multiples of 4, but were %d and %d".formatted(offset, bytes));
    }
    if (bytes > 0) {
      enter().fill(address, word32, bytes / 4, stream);
    }
  }

  /** Waits for all that was asked of the device. */
  void synchronize() {
    enter().synchronize(stream);
  }

  // ---- work

  /**
   * A kernel, compiled when it is first asked for.
   *
   * @param source the file it is in, without ".cu"
   * @throws IllegalArgumentException when there is no such file or kernel
   * @throws CudaException when it cannot be compiled or loaded
   */
  Kernel kernel(String source, String name) {
    enter();
    return kernels.computeIfAbsent(source + "." + name, _ -> load(source, name));
  }

  private Kernel load(String file, String name) {
    var source = KernelSource.read(file);
    var signature = source.signature(name);
    long module = modules.computeIfAbsent(file, _ -> load(source));
    return new Kernel(this, name, signature, driver.function(module, name), arena);
  }

  private long load(KernelSource source) {
    byte[] image = cache.image(source, computeCapability());
    try (var confined = Arena.ofConfined()) {
      return driver.loadModule(confined.allocateFrom(JAVA_BYTE, image));
    } catch (CudaException e) {
      throw new CudaException("cannot load " + source.fileName() + ": " + e.getMessage());
    }
  }

  /** Products of matrices on this device. */
  Gemm gemm() {
    enter();
    if (gemm == null) {
      gemm = new Gemm(this, libraries.cublas(), arena);
    }
    return gemm;
  }

  /** Marks this moment of the device's work: when all that was asked so far is done. */
  Event record() {
    enter();
    var event = new Event(this, driver.createEvent());
    events.add(event);
    driver.record(event.handle(), stream);
    return event;
  }

  /** Seconds between two moments; waits for the second one. */
  double seconds(Event from, Event to) {
    return enter().milliseconds(from.handle(), to.handle()) / 1000.0;
  }

  /** Called by the event. */
  void destroy(Event event) {
    if (events.remove(event)) {
      enter().destroyEvent(event.handle());
    }
  }

  long stream() {
    return stream;
  }

  /**
   * The driver, for a call to this device.
   *
   * @throws IllegalStateException when the device is closed or belongs to another thread
   */
  CudaDriver enter() {
    if (closed) {
      throw new IllegalStateException("the GPU was used after it was closed");
    }
    if (!Thread.currentThread().equals(owner)) {
      throw new IllegalStateException(
          "the GPU belongs to thread %s, but was used by thread %s"
              .formatted(owner.getName(), Thread.currentThread().getName()));
    }
    // Another device or library may have made its own context current for this thread.
    driver.setCurrent(context);
    return driver;
  }

  /**
   * Waits for what was asked of the device and frees all that was allocated on it. Closing again
   * does nothing.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    enter();
    try {
      driver.synchronize(stream);
      driver.synchronize(besideStream);
    } finally {
      release();
      closed = true;
    }
  }

  private void release() {
    if (gemm != null) {
      gemm.close();
    }
    List.copyOf(buffers).forEach(DeviceBuffer::close);
    List.copyOf(events).forEach(Event::close);
    modules.values().forEach(driver::unloadModule);
    arena.close();
    pinned.forEach(driver::freeHost);
    driver.destroyEvent(besideFrom);
    driver.destroyStream(besideStream);
    driver.destroyStream(stream);
    driver.releaseContext(device);
  }
}
