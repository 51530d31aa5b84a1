// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

/**
 * A moment in the work of a device, see {@link Device#record}. Closing the device closes it too.
 *
 * @param handle of the driver
 */
record Event(Device device, long handle) implements AutoCloseable {
  @Override
  public void close() {
    device.destroy(this);
  }
}
