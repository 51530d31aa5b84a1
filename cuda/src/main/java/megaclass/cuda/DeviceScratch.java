// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import org.jspecify.annotations.Nullable;

/**
 * Device memory that is allocated at its first use and grows when more is asked for; it then holds
 * zeros. Used by the thread of its device.
 */
final class DeviceScratch implements AutoCloseable {
  /** Kernels read vectors of 16 bytes. */
  private static final long ALIGNMENT = 16;

  private final Device device;
  private @Nullable DeviceBuffer buffer;

  DeviceScratch(Device device) {
    this.device = device;
  }

  /** The memory, of at least so many bytes. */
  DeviceBuffer buffer(long bytes) {
    DeviceBuffer old = buffer;
    if (old != null && old.bytes() >= bytes) {
      return old;
    }
    if (old != null) {
      old.close();
      buffer = null;
    }
    long room = bytes + (old == null ? 0 : bytes / 4); // what grew once will grow again
    DeviceBuffer made =
        device.allocate((Math.max(1, room) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    buffer = made;
    return made;
  }

  /** Room for so many ints or floats. */
  DeviceBuffer words(long count) {
    return buffer(4 * count);
  }

  @Override
  public void close() {
    if (buffer != null) {
      buffer.close();
      buffer = null;
    }
  }
}
