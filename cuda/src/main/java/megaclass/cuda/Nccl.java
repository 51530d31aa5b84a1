// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * How one of several devices reaches the others: NCCL, which only brings them what each has. It
 * adds nothing up, since the order in which its sums are added is its own, and with switches that
 * add (NVLS) differs from call to call.
 *
 * <p>All devices make the same calls in the same order, each from the thread of its device; calls
 * return before they are done, and happen on the stream of the device. {@link #abort} may be called
 * by any thread.
 */
final class Nccl implements AutoCloseable {
  private static final int INT32 = 2; // ncclInt32 of nccl.h

  private final NativeFunctions functions;
  private final int rank;
  private final int count;
  private final AtomicLong handle;

  private Nccl(NativeFunctions functions, int rank, int count, long handle) {
    this.functions = functions;
    this.rank = rank;
    this.count = count;
    this.handle = new AtomicLong(handle);
  }

  /**
   * Connects devices of this machine, which are open.
   *
   * @param first number of the first one
   * @param count how many
   * @return what each of them reaches the others by, in their order
   */
  static List<Nccl> connect(NativeFunctions functions, int first, int count) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment handles = arena.allocate(JAVA_LONG, count);
      int[] numbers = IntStream.range(first, first + count).toArray();
      MemorySegment devices = arena.allocateFrom(JAVA_INT, numbers);
      check(
          functions, "ncclCommInitAll", functions.call("ncclCommInitAll", handles, count, devices));
      return IntStream.range(0, count)
          .mapToObj(i -> new Nccl(functions, i, count, handles.getAtIndex(JAVA_LONG, i)))
          .toList();
    }
  }

  /** Which of the devices this one is, from 0. */
  int rank() {
    return rank;
  }

  /** How many devices there are. */
  int count() {
    return count;
  }

  /**
   * Brings to every device the parts of all of them.
   *
   * @param parts (count, words) words of 32 bits, of which each device has written its own
   */
  void allGather(Device device, DeviceBuffer parts, long words) {
    device.enter();
    long into = parts.address(0, 4 * words * count);
    long from = into + 4 * words * rank;
    long communicator = handle.get();
    if (communicator == 0) {
      throw new CudaException("another device of this run has failed");
    }
    check(
        functions,
        "ncclAllGather of %d words".formatted(words),
        functions.call("ncclAllGather", from, into, words, INT32, communicator, device.stream()));
  }

  /** Lets nobody wait for this device any more, nor this one for others. */
  void abort() {
    release("ncclCommAbort");
  }

  /** When nothing waits any more. */
  @Override
  public void close() {
    release("ncclCommDestroy");
  }

  private void release(String call) {
    long communicator = handle.getAndSet(0);
    if (communicator != 0) {
      functions.call(call, communicator);
    }
  }

  private static void check(NativeFunctions functions, String call, int code) {
    if (code != 0) {
      throw new CudaException(
          call,
          functions.text("ncclGetErrorString", code),
          "NCCL_DEBUG=WARN in the environment makes NCCL say more");
    }
  }
}
