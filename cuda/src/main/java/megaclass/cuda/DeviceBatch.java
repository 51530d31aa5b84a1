// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import megaclass.backbone.Embeddings;
import megaclass.cuda.Gemm.Precision;
import megaclass.cuda.RowKernels.Gathered;

/**
 * A mini-batch on the device: embeddings and targets come up, the gradient of the embeddings goes
 * down, both through page-locked memory.
 *
 * <p>Owns its device memory until {@link #close}; the host memory lives as long as the device. Used
 * by the thread of its device.
 */
final class DeviceBatch implements AutoCloseable {
  private final Device device;
  private final RowKernels rows;
  private final int stride;
  private final Precision precision;
  private final MemorySegment hostRows;
  private final MemorySegment hostTargets;
  private final MemorySegment hostNorms;
  private final DeviceBuffer floats;
  private final DeviceBuffer operands;
  private final DeviceBuffer gradients;
  private final DeviceBuffer targets;
  private final DeviceBuffer inverseNorms;
  private final boolean normalised;
  private int[] targetIds = new int[0];
  private int size;

  /**
   * Allocates.
   *
   * @param capacity samples at most
   * @param stride floats of an embedding, constant and padding included
   * @param normalised whether embeddings are of unit length
   */
  DeviceBatch(
      Device device,
      RowKernels rows,
      int capacity,
      int stride,
      boolean normalised,
      Precision precision) {
    this.normalised = normalised;
    this.device = device;
    this.rows = rows;
    this.stride = stride;
    this.precision = precision;
    long bytes = 4L * capacity * stride;
    hostRows = device.allocatePinned(bytes);
    hostTargets = device.allocatePinned(4L * capacity);
    floats = device.allocate(bytes);
    operands = precision == Precision.BF16 ? device.allocate(bytes / 2) : floats;
    gradients = device.allocate(bytes);
    targets = device.allocate(4L * capacity);
    hostNorms = device.allocatePinned(4L * capacity);
    inverseNorms = device.allocate(4L * capacity);
  }

  /** Bytes on the device, for the memory forecast. */
  static long sizeInBytes(int capacity, int stride) {
    return (long) capacity * (10L * stride + 8);
  }

  /** Brings a packed batch up. */
  void upload(Embeddings embeddings, int[] targetIds) {
    size = embeddings.size();
    this.targetIds = targetIds;
    long bytes = 4L * size * stride;
    // What the device still read from here is done: a step ends with a download.
    hostRows.asSlice(0, bytes).copyFrom(memory(embeddings.row(0), bytes));
    MemorySegment.copy(targetIds, 0, hostTargets, JAVA_INT, 0, size);
    device.upload(hostRows.asSlice(0, bytes), floats, 0);
    device.upload(hostTargets.asSlice(0, 4L * size), targets, 0);
    if (normalised) {
      for (int i = 0; i < size; i++) {
        hostNorms.setAtIndex(JAVA_FLOAT, i, embeddings.inverseNorm(i));
      }
      device.upload(hostNorms.asSlice(0, 4L * size), inverseNorms, 0);
    }
    if (precision == Precision.BF16) {
      var all = RowChoice.range(0, size);
      rows.gatherFloats(floats.address(), stride, all, new Gathered(operands.address(), true, 0));
    }
  }

  private static MemorySegment memory(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  /** Takes the gradient back through the normalisation and brings it down. */
  void downloadGradient(SoftmaxKernels softmax, Embeddings embeddings) {
    softmax.finishEmbeddings(
        gradients.address(),
        floats.address(),
        normalised ? inverseNorms.address() : 0,
        size,
        stride,
        embeddings.dim());
    long bytes = 4L * size * stride;
    device.download(gradients, 0, hostRows.asSlice(0, bytes));
    memory(embeddings.gradientRow(0), bytes).copyFrom(hostRows.asSlice(0, bytes));
  }

  /** Samples in the batch. */
  int size() {
    return size;
  }

  /** Address of the embeddings as operands of products, (size, stride). */
  long operands() {
    return operands.address();
  }

  /** The embeddings as floats, (size, stride). */
  DeviceBuffer floats() {
    return floats;
  }

  /** Address of the gradient by the packed embeddings, (size, stride) floats. */
  long gradients() {
    return gradients.address();
  }

  /** The same as a buffer, of which {@link #gradientWords} count. */
  DeviceBuffer gradientBuffer() {
    return gradients;
  }

  /** Floats of the gradient of this batch. */
  long gradientWords() {
    return (long) size * stride;
  }

  /** Class id of each sample, on the host. */
  int[] targetIds() {
    return targetIds;
  }

  /** The same on the device, (size) ints. */
  DeviceBuffer targets() {
    return targets;
  }

  @Override
  public void close() {
    floats.close();
    if (operands != floats) {
      operands.close();
    }
    gradients.close();
    targets.close();
    inverseNorms.close();
  }
}
