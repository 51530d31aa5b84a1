// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

/** Memory of a device. Whoever allocates it closes it; closing the device closes it too. */
final class DeviceBuffer implements AutoCloseable {
  private final Device device;
  private final long address;
  private final long bytes;
  private boolean closed;

  DeviceBuffer(Device device, long address, long bytes) {
    this.device = device;
    this.address = address;
    this.bytes = bytes;
  }

  /**
   * Where it begins, for kernels and products of matrices.
   *
   * @throws IllegalStateException when it is closed
   */
  long address() {
    if (closed) {
      throw new IllegalStateException(
          "a buffer of %d bytes on the GPU was used after it was closed".formatted(bytes));
    }
    return address;
  }

  /** Its size. */
  long bytes() {
    return bytes;
  }

  /**
   * The address of a part of it.
   *
   * @throws IllegalArgumentException when the part is not inside
   */
  long address(long offset, long length) {
    if (offset < 0 || length < 0 || offset > bytes - length) {
      throw new IllegalArgumentException(
          "bytes [%d, %d) are not inside a buffer of %d bytes"
              .formatted(offset, offset + length, bytes));
    }
    return address() + offset;
  }

  /**
   * A part of it, which is of use as long as this is open; closing it gives nothing back.
   *
   * @throws IllegalArgumentException when the part is not inside
   */
  DeviceBuffer part(long offset, long length) {
    return new DeviceBuffer(device, address(offset, length), length);
  }

  /** Gives the memory back when nothing uses it any more. Closing again does nothing. */
  @Override
  public void close() {
    if (!closed) {
      device.free(this, address);
      closed = true;
    }
  }
}
