// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import megaclass.backbone.Embeddings;
import megaclass.cuda.Gemm.Precision;
import megaclass.cuda.RowKernels.Gathered;

/**
 * A mini-batch on the device: embeddings and targets come up, the gradient of the embeddings goes
 * down, both through page-locked memory. Its samples may lie there in another order.
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
  private int[] order = new int[0];
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

  /**
   * Brings a packed batch up.
   *
   * @param order numbers of the samples, as they are to lie on the device
   */
  void upload(Embeddings embeddings, int[] targetIds, int[] order) {
    size = embeddings.size();
    this.targetIds = targetIds;
    this.order = order;
    MemorySegment from = memory(embeddings.row(0), row(size));
    // Rows of the last step may still be moving, but nothing that counts reads from here any more:
    // its loss, which comes after its embeddings, and the gradient were waited for.
    for (int i = 0; i < size; i++) {
      MemorySegment.copy(from, row(order[i]), hostRows, row(i), row(1));
      hostTargets.setAtIndex(JAVA_INT, i, targetIds[order[i]]);
      hostNorms.setAtIndex(JAVA_FLOAT, i, embeddings.inverseNorm(order[i]));
    }
    device.upload(hostRows.asSlice(0, row(size)), floats, 0);
    device.upload(hostTargets.asSlice(0, 4L * size), targets, 0);
    if (normalised) {
      device.upload(hostNorms.asSlice(0, 4L * size), inverseNorms, 0);
    }
    if (precision == Precision.BF16) {
      var all = RowChoice.range(0, size);
      rows.gatherFloats(floats.address(), stride, all, new Gathered(operands.address(), true, 0));
    }
  }

  /** Offset of a row, in bytes. */
  private long row(int i) {
    return 4L * stride * i;
  }

  private static MemorySegment memory(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  /**
   * Takes the gradient back through the normalisation and begins to bring it down, beside what is
   * asked of the device after this.
   *
   * @param dim columns of it that count
   */
  void beginDownload(SoftmaxKernels softmax, int dim) {
    softmax.finishEmbeddings(
        gradients.address(),
        floats.address(),
        normalised ? inverseNorms.address() : 0,
        size,
        stride,
        dim);
    device.downloadBeside(gradients, 0, hostRows.asSlice(0, row(size)));
  }

  /** Waits for the gradient, and for nothing that was asked of the device since. */
  void endDownload(Embeddings embeddings) {
    device.awaitDownloads();
    MemorySegment into = memory(embeddings.gradientRow(0), row(size));
    for (int i = 0; i < size; i++) {
      MemorySegment.copy(hostRows, row(i), into, row(order[i]), row(1));
    }
  }

  /** Samples in the batch. */
  int size() {
    return size;
  }

  /** Numbers in the batch of samples that lie side by side on the device. */
  int[] numbers(int from, int count) {
    return Arrays.copyOfRange(order, from, from + count);
  }

  /**
   * Address of the embeddings as operands of products, (size, stride), from a sample on.
   *
   * @param from its place on the device
   */
  long operands(int from) {
    return operands.address() + (precision == Precision.BF16 ? row(from) / 2 : row(from));
  }

  /** Address of the gradient by the packed embeddings, (size, stride) floats, from a sample on. */
  long gradients(int from) {
    return gradients.address() + row(from);
  }

  /** Class id of each sample (size), ints. */
  DeviceBuffer targets() {
    return targets;
  }

  /** The gradient as a buffer, of which {@link #gradientWords} count. */
  DeviceBuffer gradientBuffer() {
    return gradients;
  }

  /** Floats of the gradient of this batch. */
  long gradientWords() {
    return (long) size * stride;
  }

  /** What the choice of classes sees. */
  DeviceSamples samples() {
    int[] ids = Arrays.stream(order).map(i -> targetIds[i]).toArray();
    return new DeviceSamples(ids, targets, floats, stride);
  }

  /** Class id of each sample, in the order of the batch. */
  int[] targetIds() {
    return targetIds;
  }

  /** Numbers for each sample, as they lie on the device, in the order of the batch. */
  double[] inOrder(double[] ofSamples) {
    double[] ordered = new double[size];
    for (int i = 0; i < size; i++) {
      ordered[order[i]] = ofSamples[i];
    }
    return ordered;
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
