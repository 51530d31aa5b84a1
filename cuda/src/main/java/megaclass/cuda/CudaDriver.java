// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;

/**
 * The functions of the CUDA driver that we use, one method each, with errors as exceptions. Handles
 * (contexts, streams, modules, functions, events) and device memory are longs. Names end in _v2
 * where the header of CUDA 12 and 13 (cuda.h) maps the plain name to that one.
 *
 * <p>Thread-safe; what a call means depends on the context that is current for its thread.
 */
final class CudaDriver {
  static final int MULTIPROCESSOR_COUNT = 16;
  static final int COMPUTE_CAPABILITY_MAJOR = 75;
  static final int COMPUTE_CAPABILITY_MINOR = 76;

  private static final int OUT_OF_MEMORY = 2;
  private static final int NON_BLOCKING = 1;
  private static final int MAX_DYNAMIC_SHARED_SIZE_BYTES = 8;
  private static final int LONGEST_NAME = 256;

  private final NativeFunctions functions;

  CudaDriver(NativeFunctions functions) {
    this.functions = functions;
  }

  // ---- devices and contexts

  /** The newest CUDA that the driver knows: 13000 for 13.0, 12040 for 12.4. */
  int version() {
    return intOf("cuDriverGetVersion");
  }

  void initialise() {
    check("cuInit", 0);
  }

  int deviceCount() {
    return intOf("cuDeviceGetCount");
  }

  int device(int ordinal) {
    return intOf("cuDeviceGet", ordinal);
  }

  String name(int device) {
    try (var arena = Arena.ofConfined()) {
      var name = arena.allocate(LONGEST_NAME);
      check("cuDeviceGetName", name, LONGEST_NAME, device);
      return name.getString(0);
    }
  }

  int attribute(int attribute, int device) {
    return intOf("cuDeviceGetAttribute", attribute, device);
  }

  /** The context that all libraries of this process share; goes with {@link #releaseContext}. */
  long retainContext(int device) {
    return longOf("cuDevicePrimaryCtxRetain", device);
  }

  void releaseContext(int device) {
    release("cuDevicePrimaryCtxRelease_v2", device);
  }

  void setCurrent(long context) {
    check("cuCtxSetCurrent", context);
  }

  // ---- memory

  record Memory(long free, long total) {}

  Memory memory() {
    try (var arena = Arena.ofConfined()) {
      var free = arena.allocate(JAVA_LONG);
      var total = arena.allocate(JAVA_LONG);
      check("cuMemGetInfo_v2", free, total);
      return new Memory(free.get(JAVA_LONG, 0), total.get(JAVA_LONG, 0));
    }
  }

  /**
   * Memory of the device, not yet filled.
   *
   * @throws DeviceMemoryException when the device is full
   */
  long allocate(long bytes) {
    try (var arena = Arena.ofConfined()) {
      var address = arena.allocate(JAVA_LONG);
      int code = functions.call("cuMemAlloc_v2", address, bytes);
      if (code == OUT_OF_MEMORY) {
        var memory = memory();
        throw new DeviceMemoryException(bytes, memory.free(), memory.total());
      }
      checkCode("cuMemAlloc_v2", code);
      return address.get(JAVA_LONG, 0);
    }
  }

  /** Frees memory when what was asked of the stream is done with it. */
  void free(long address, long stream) {
    release("cuStreamSynchronize", stream);
    release("cuMemFree_v2", address);
  }

  /** Page-locked memory of the host, not yet filled. */
  MemorySegment allocateHost(long bytes) {
    try (var arena = Arena.ofConfined()) {
      var address = arena.allocate(ADDRESS);
      check("cuMemHostAlloc", address, bytes, 0);
      return address.get(ADDRESS, 0).reinterpret(bytes);
    }
  }

  void freeHost(MemorySegment memory) {
    release("cuMemFreeHost", memory);
  }

  void copyToDevice(long to, MemorySegment from, long stream) {
    check("cuMemcpyHtoDAsync_v2", to, from, from.byteSize(), stream);
  }

  void copyToHost(MemorySegment to, long from, long stream) {
    check("cuMemcpyDtoHAsync_v2", to, from, to.byteSize(), stream);
  }

  void copy(long to, long from, long bytes, long stream) {
    check("cuMemcpyDtoDAsync_v2", to, from, bytes, stream);
  }

  void fill(long address, int word, long words, long stream) {
    check("cuMemsetD32Async", address, word, words, stream);
  }

  // ---- kernels

  /** Loads machine code: a cubin or a fatbin. */
  long loadModule(MemorySegment image) {
    return longOf("cuModuleLoadData", image);
  }

  void unloadModule(long module) {
    release("cuModuleUnload", module);
  }

  long function(long module, String name) {
    try (var arena = Arena.ofConfined()) {
      return longOf("cuModuleGetFunction", module, arena.allocateFrom(name));
    }
  }

  /** More than 48 KiB of shared memory a block must be asked for. */
  void allowShared(long function, int bytes) {
    check("cuFuncSetAttribute", function, MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes);
  }

  /**
   * Starts a kernel.
   *
   * @param arguments addresses of the arguments, one pointer each
   */
  void launch(
      long function,
      int gridX,
      int gridY,
      int block,
      int shared,
      long stream,
      MemorySegment arguments) {
    check(
        "cuLaunchKernel",
        function,
        gridX,
        gridY,
        1,
        block,
        1,
        1,
        shared,
        stream,
        arguments,
        MemorySegment.NULL);
  }

  // ---- streams and events

  /** A stream that does not wait for the default stream. */
  long createStream() {
    return longOf("cuStreamCreate", NON_BLOCKING);
  }

  void synchronize(long stream) {
    check("cuStreamSynchronize", stream);
  }

  void destroyStream(long stream) {
    release("cuStreamDestroy_v2", stream);
  }

  long createEvent() {
    return longOf("cuEventCreate", 0);
  }

  void record(long event, long stream) {
    check("cuEventRecord", event, stream);
  }

  /** What is asked of the stream from now on happens after the event, as it was last recorded. */
  void waitFor(long event, long stream) {
    check("cuStreamWaitEvent", stream, event, 0);
  }

  /** Waits for the second event. */
  float milliseconds(long from, long to) {
    // CUDA 13 has the new name only in its header, drivers for 12 have only the old one.
    String name =
        functions.has("cuEventElapsedTime_v2") ? "cuEventElapsedTime_v2" : "cuEventElapsedTime";
    try (var arena = Arena.ofConfined()) {
      var milliseconds = arena.allocate(JAVA_FLOAT);
      check("cuEventSynchronize", to);
      check(name, milliseconds, from, to);
      return milliseconds.get(JAVA_FLOAT, 0);
    }
  }

  void destroyEvent(long event) {
    release("cuEventDestroy_v2", event);
  }

  // ---- calls and errors

  /** What a function writes through its first parameter, a pointer to 32 bits. */
  private int intOf(String name, Object... others) {
    return (int) longOf(name, others);
  }

  /** What a function writes through its first parameter, a pointer to 64 or fewer bits. */
  private long longOf(String name, Object... others) {
    try (var arena = Arena.ofConfined()) {
      var value = arena.allocate(JAVA_LONG);
      check(name, Stream.concat(Stream.of(value), Stream.of(others)).toArray());
      return value.get(JAVA_LONG, 0);
    }
  }

  /**
   * After an error of a kernel nothing can be released, and that error has been reported; the
   * system releases all when the process ends.
   */
  private void release(String name, Object... arguments) {
    functions.call(name, arguments);
  }

  private void check(String name, Object... arguments) {
    checkCode(name, functions.call(name, arguments));
  }

  private void checkCode(String name, int code) {
    if (code != 0) {
      throw new CudaException(name, text("cuGetErrorName", code), text("cuGetErrorString", code));
    }
  }

  private String text(String name, int code) {
    try (var arena = Arena.ofConfined()) {
      var text = arena.allocate(ADDRESS);
      int unknown = functions.call(name, code, text);
      return unknown != 0 ? "error " + code : NativeFunctions.string(text.get(ADDRESS, 0));
    }
  }
}
