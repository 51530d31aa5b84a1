// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** One kernel, loaded on one device. Used by the thread of its device. */
final class Kernel {
  /** What a block may have of shared memory without asking for more. */
  private static final int SHARED_BYTES = 48 << 10;

  private final Device device;
  private final String name;
  private final KernelSource.Signature signature;
  private final long function;

  /** One slot of 8 bytes an argument, and pointers to the slots: what cuLaunchKernel reads. */
  private final MemorySegment slots;

  private final MemorySegment pointers;

  private int allowedShared = SHARED_BYTES;

  Kernel(Device device, String name, KernelSource.Signature signature, long function, Arena arena) {
    this.device = device;
    this.name = name;
    this.signature = signature;
    this.function = function;
    int count = signature.parameters().size();
    slots = arena.allocate(JAVA_LONG, count);
    pointers = arena.allocate(ADDRESS, count);
    for (int i = 0; i < count; i++) {
      pointers.setAtIndex(ADDRESS, i, slots.asSlice(8L * i));
    }
  }

  /**
   * Starts the kernel on the stream of the device and returns; what goes wrong while it runs is
   * reported by a later call.
   *
   * @param gridX blocks, at least 1
   * @param gridY blocks, in [1, 65535]
   * @param block threads a block, in [1, 1024]
   * @param sharedBytes shared memory a block beyond what the kernel itself declares
   * @param arguments one for each parameter: an integer, the address of a buffer, or a float {@link
   *     #of}; parameters of 4 bytes read the lower half
   * @throws IllegalArgumentException when the arguments do not fit the parameters
   */
  void launch(int gridX, int gridY, int block, int sharedBytes, long... arguments) {
    signature.check(name, arguments);
    var driver = device.enter();
    try {
      if (sharedBytes > allowedShared) {
        driver.allowShared(function, sharedBytes);
        allowedShared = sharedBytes;
      }
      MemorySegment.copy(arguments, 0, slots, JAVA_LONG, 0, arguments.length);
      driver.launch(function, gridX, gridY, block, sharedBytes, device.stream(), pointers);
    } catch (CudaException e) {
      throw new CudaException(
          "kernel %s, %d x %d blocks of %d threads with %d bytes: %s"
              .formatted(name, gridX, gridY, block, sharedBytes, e.getMessage()));
    }
  }

  /** A float as an argument. */
  static long of(float value) {
    return Integer.toUnsignedLong(Float.floatToRawIntBits(value));
  }
}
