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
 * and their gradient (samples, classes), gradient of the rows (classes, stride), and its sum over
 * the groups of a batch, if there are any.
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
  private final DeviceBuffer sums;
  private final DeviceBuffer normsOfAll;

  /**
   * How large.
   *
   * @param classes in a tile, a multiple of 8
   * @param stride numbers of a row, padding included
   * @param samples that share active classes, at most
   * @param inGroups whether there are several such groups in a batch
   * @param precision of the operands of products
   */
  record Shape(int classes, int stride, int samples, boolean inGroups, Precision precision) {
    /**
     * As many classes as {@code bytes} have room for; no more than a batch makes active at most.
     */
    static Shape of(HeadSettings settings, long bytes) {
      int numGroups = GroupedChoice.numGroups(settings.selector());
      var one =
          new Shape(
              1,
              ComputeBackend.padded(settings.width()),
              Math.ceilDiv(settings.batchSize(), numGroups),
              numGroups > 1,
              Precision.of(settings.precision()));
      long room = Math.max(1, bytes / one.bytesPerClass());
      long mostActive =
          ClassSelector.mostActive(
              settings.selector(), settings.numClasses(), settings.batchSize());
      long classes = Math.ceilDiv(Math.min(room, mostActive), COLUMNS) * COLUMNS;
      return new Shape(
          Math.toIntExact(classes), one.stride, one.samples, one.inGroups, one.precision);
    }

    private int operandBytes() {
      return precision == Precision.BF16 ? 2 : 4;
    }

    private long bytesPerClass() {
      long gradient = precision == Precision.BF16 ? 2 : 0; // floats are overwritten in place
      long sums = inGroups ? 4L * stride + 4 : 0;
      return (long) stride * (operandBytes() + 4) + 4 + samples * (4 + gradient) + sums;
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
    long entries = (long) shape.classes * shape.samples;
    long numbers = (long) shape.classes * shape.stride;
    gathered = device.allocate(numbers * shape.operandBytes());
    inverseNorms = device.allocate(4L * shape.classes);
    logits = device.allocate(4 * entries);
    gradients = shape.precision == Precision.BF16 ? device.allocate(2 * entries) : logits;
    rowGradients = device.allocate(4 * numbers);
    sums = shape.inGroups ? device.allocate(4 * numbers) : rowGradients;
    normsOfAll = shape.inGroups ? device.allocate(4L * shape.classes) : inverseNorms;
  }

  /** Classes in a tile. */
  int classes() {
    return shape.classes;
  }

  /** Where rows go, at unit length if the loss wants it. */
  Gathered gathered(Loss loss) {
    return new Gathered(
        gathered.address(), shape.precision == Precision.BF16, ifNormalised(loss, inverseNorms));
  }

  private static long ifNormalised(Loss loss, DeviceBuffer norms) {
    return loss.normalised() ? norms.address() : 0;
  }

  /** Address of the inner products, (samples, classes) floats. */
  long logits() {
    return logits.address();
  }

  /** Inner products of a part's samples with its rows, which are gathered. */
  void multiply(DeviceBatch batch, TilePart part) {
    device
        .gemm()
        .multiply(
            shape.precision,
            false,
            true,
            part.samples().count(),
            part.count(),
            shape.stride,
            1f,
            batch.operands(part.samples().from()),
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
   * Gradient of a part's embeddings from that by the inner products, added to what parts with later
   * classes of these samples gave.
   */
  void multiplyEmbeddings(DeviceBatch batch, TilePart part) {
    device
        .gemm()
        .multiply(
            shape.precision,
            false,
            false,
            part.samples().count(),
            shape.stride,
            part.count(),
            1f,
            gradients.address(),
            shape.classes,
            gathered.address(),
            shape.stride,
            part.endsClasses() ? 0f : 1f,
            batch.gradients(part.samples().from()),
            shape.stride);
  }

  /** Gradient of a part's rows from that by the inner products. */
  void multiplyRows(DeviceBatch batch, TilePart part) {
    device
        .gemm()
        .multiply(
            shape.precision,
            true,
            false,
            part.count(),
            shape.stride,
            part.samples().count(),
            1f,
            gradients.address(),
            shape.classes,
            batch.operands(part.samples().from()),
            shape.stride,
            0f,
            rowGradients.address(),
            shape.stride);
  }

  /**
   * Adds the gradient of a part's rows to that of its tile, if it has to be added up.
   *
   * @param all rows of the tile
   * @param first whether the tile begins with this part
   */
  void sum(RowKernels rowKernels, Loss loss, TilePart part, RowChoice all, boolean first) {
    if (!shape.inGroups) {
      return;
    }
    if (first) {
      device.fill(sums, 0, 4L * shape.stride * all.count(), 0);
    }
    var added = new Gradients(rowGradients.address(), ifNormalised(loss, inverseNorms));
    rowKernels.addGradients(part.rows(), added, all, tileGradients(loss), shape.stride);
  }

  /** The gradients of the rows of a tile. */
  Gradients tileGradients(Loss loss) {
    return new Gradients(sums.address(), ifNormalised(loss, normsOfAll));
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
    if (sums != rowGradients) {
      sums.close();
      normsOfAll.close();
    }
  }
}
