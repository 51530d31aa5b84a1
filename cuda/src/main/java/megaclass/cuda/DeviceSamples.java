// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.util.Arrays;

/**
 * Samples on the device for which classes are chosen: a batch, or a group of it.
 *
 * @param targetIds class id of each, on the host
 * @param targets the same on the device, ints
 * @param embeddings floats (any, stride), first those of these samples
 * @param stride floats from embedding to embedding
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares them
record DeviceSamples(int[] targetIds, DeviceBuffer targets, DeviceBuffer embeddings, int stride) {
  int size() {
    return targetIds.length;
  }

  /** Some of them. */
  DeviceSamples part(int from, int count) {
    long row = 4L * stride;
    return new DeviceSamples(
        Arrays.copyOfRange(targetIds, from, from + count),
        targets.part(4L * from, 4L * count),
        embeddings.part(row * from, row * count),
        stride);
  }
}
