// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Arrays to a device and back, for tests. */
final class DeviceArrays {
  private DeviceArrays() {}

  static DeviceBuffer upload(Device device, float... values) {
    try (var arena = Arena.ofConfined()) {
      return upload(device, arena.allocateFrom(JAVA_FLOAT, values));
    }
  }

  static DeviceBuffer upload(Device device, int... values) {
    try (var arena = Arena.ofConfined()) {
      return upload(device, arena.allocateFrom(JAVA_INT, values));
    }
  }

  private static DeviceBuffer upload(Device device, MemorySegment values) {
    DeviceBuffer buffer = device.allocate(values.byteSize());
    device.upload(values, buffer, 0);
    device.synchronize();
    return buffer;
  }

  static float[] floats(Device device, DeviceBuffer from, int count) {
    try (var arena = Arena.ofConfined()) {
      return download(device, from, JAVA_FLOAT, count, arena).toArray(JAVA_FLOAT);
    }
  }

  static int[] ints(Device device, DeviceBuffer from, int count) {
    try (var arena = Arena.ofConfined()) {
      return download(device, from, JAVA_INT, count, arena).toArray(JAVA_INT);
    }
  }

  static short[] shorts(Device device, DeviceBuffer from, int count) {
    try (var arena = Arena.ofConfined()) {
      return download(device, from, JAVA_SHORT, count, arena).toArray(JAVA_SHORT);
    }
  }

  private static MemorySegment download(
      Device device, DeviceBuffer from, ValueLayout element, int count, Arena arena) {
    MemorySegment into = arena.allocate(element, count);
    device.download(from, 0, into);
    return into;
  }
}
