// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.util.Locale;

/** The memory of the device is full. The message says what was needed, what is free and helps. */
final class DeviceMemoryException extends CudaException {
  private static final long serialVersionUID = 1L;

  DeviceMemoryException(long needed, long free, long total) {
    super(
        "the GPU has no %s of memory left: %s of %s are free; take a smaller device.memory or"
                .formatted(gibibytes(needed), gibibytes(free), gibibytes(total))
            + " dim, fewer classes, dtype = \"bf16\" or an optimizer without momentum, or end other"
            + " programs on it");
  }

  private static String gibibytes(long bytes) {
    return String.format(Locale.ROOT, "%,.2f GiB", bytes / (double) (1L << 30));
  }
}
