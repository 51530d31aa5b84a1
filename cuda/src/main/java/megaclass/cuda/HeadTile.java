// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import megaclass.compute.ComputeBackend;
import megaclass.cuda.Gemm.Precision;
import megaclass.cuda.RowKernels.Gathered;
import megaclass.cuda.RowKernels.Gradients;
import megaclass.cuda.SoftmaxKernels.Destination;
import megaclass.head.HeadSettings;
import megaclass.loss.Loss;
import megaclass.select.ClassSelector;

/**
 * The memory of a tile of active classes, and its products: rows (classes, stride), inner products
 * and their gradient (batch, classes), gradient of the rows (classes, stride).
 *
 * <p>Owns its device memory until {@link #close}. Used by the thread of its device.
 */
final class HeadTile implements AutoCloseable {
  /** Columns of inner products come in vectors, and tensor cores like multiples of 8. */
  private static final int COLUMNS = 8;

  private final Device device;
  private final Shape shape;
  private final DeviceBuffer gathered;
  private final DeviceBuffer inverseNorms;
  private final DeviceBuffer logits;
  private final DeviceBuffer gradients;
  private final DeviceBuffer rowGradients;

  /**
   * How large.
   *
   * @param classes in a tile, a multiple of 8
   * @param stride numbers of a row, padding included
   * @param batch samples at most
   * @param precision of the operands of products
   */
  record Shape(int classes, int stride, int batch, Precision precision) {
    /**
     * As many classes as {@code bytes} have room for; no more than a batch makes active at most.
     */
    static Shape of(HeadSettings settings, long bytes) {
      int stride = ComputeBackend.padded(settings.width());
      var precision = Precision.of(settings.precision());
      var one = new Shape(1, stride, settings.batchSize(), precision);
      long room = Math.max(1, bytes / one.bytesPerClass());
      long mostActive =
          ClassSelector.mostActive(
              settings.selector(), settings.numClasses(), settings.batchSize());
      long classes = Math.min(room, mostActive);
      return new Shape(
          Math.toIntExact(Math.ceilDiv(classes, COLUMNS) * COLUMNS),
          stride,
          settings.batchSize(),
          precision);
    }

    private int operandBytes() {
      return precision == Precision.BF16 ? 2 : 4;
    }

    private long bytesPerClass() {
      long gradient = precision == Precision.BF16 ? 2 : 0; // floats are overwritten in place
      return (long) stride * (operandBytes() + 4) + 4 + batch * (4 + gradient);
    }

    /** Bytes on the device. */
    long sizeInBytes() {
      return classes * bytesPerClass();
    }
  }

  /** Allocates. */
  HeadTile(Device device, Shape shape) {
    this.device = device;
    this.shape = shape;
    long entries = (long) shape.classes * shape.batch;
    long numbers = (long) shape.classes * shape.stride;
    gathered = device.allocate(numbers * shape.operandBytes());
    inverseNorms = device.allocate(4L * shape.classes);
    logits = device.allocate(4 * entries);
    gradients = shape.precision == Precision.BF16 ? device.allocate(2 * entries) : logits;
    rowGradients = device.allocate(4 * numbers);
  }

  /** Classes in a tile. */
  int classes() {
    return shape.classes;
  }

  /** Where rows go, at unit length if the loss wants it. */
  Gathered gathered(Loss loss) {
    return new Gathered(gathered.address(), shape.precision == Precision.BF16, inverseNorms(loss));
  }

  private long inverseNorms(Loss loss) {
    return loss.normalised() ? inverseNorms.address() : 0;
  }

  /** Address of the inner products, (batch, classes) floats. */
  long logits() {
    return logits.address();
  }

  /** Inner products of the embeddings with the first {@code count} gathered rows. */
  void multiply(DeviceBatch batch, int count) {
    device
        .gemm()
        .multiply(
            shape.precision,
            false,
            true,
            batch.size(),
            count,
            shape.stride,
            1f,
            batch.operands(),
            shape.stride,
            gathered.address(),
            shape.stride,
            0f,
            logits.address(),
            shape.classes);
  }

  /** Where the gradient by {@code count} columns of inner products goes. */
  Destination gradient(int count) {
    int columns = Math.ceilDiv(count, COLUMNS) * COLUMNS;
    return shape.precision == Precision.BF16
        ? new Destination(columns, gradients.address(), shape.classes)
        : Destination.inPlace(columns);
  }

  /**
   * Gradients of embeddings and rows from that by the inner products.
   *
   * @param first whether the gradient of the embeddings begins here; else this is added to it
   */
  void multiplyGradient(DeviceBatch batch, int count, boolean first) {
    Gemm gemm = device.gemm();
    gemm.multiply(
        shape.precision,
        false,
        false,
        batch.size(),
        shape.stride,
        count,
        1f,
        gradients.address(),
        shape.classes,
        gathered.address(),
        shape.stride,
        first ? 0f : 1f,
        batch.gradients(),
        shape.stride);
    gemm.multiply(
        shape.precision,
        true,
        false,
        count,
        shape.stride,
        batch.size(),
        1f,
        gradients.address(),
        shape.classes,
        batch.operands(),
        shape.stride,
        0f,
        rowGradients.address(),
        shape.stride);
  }

  /** The gradients of the gathered rows. */
  Gradients rowGradients(Loss loss) {
    return new Gradients(rowGradients.address(), inverseNorms(loss));
  }

  @Override
  public void close() {
    gathered.close();
    inverseNorms.close();
    logits.close();
    if (gradients != logits) {
      gradients.close();
    }
    rowGradients.close();
  }
}
