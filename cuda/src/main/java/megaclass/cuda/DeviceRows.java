// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.MemorySegment;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import org.jspecify.annotations.Nullable;

/**
 * The rows of all classes on the device with what their optimizer keeps of each: a {@link
 * RowMatrix} in one piece, byte for byte as its shards, so that these come and go by plain copies.
 *
 * <p>Owns its device memory until {@link #close}. Used by the thread of its device.
 */
final class DeviceRows implements AutoCloseable {
  private final Device device;
  private final int numRows;
  private final int width;
  private final int stride;
  private final RowFormat format;
  private final RowMatrix.State state;
  private final DeviceBuffer rows;
  private final @Nullable DeviceBuffer accumulators;
  private final @Nullable DeviceBuffer lastSteps;

  /**
   * Copies a matrix to the device.
   *
   * @throws DeviceMemoryException when the device has no room for it
   */
  DeviceRows(Device device, RowMatrix matrix) {
    this.device = device;
    numRows = matrix.numRows();
    width = matrix.width();
    stride = matrix.stride();
    format = matrix.format();
    state = matrix.state();
    rows = device.allocate(4L * rowWords() * numRows);
    accumulators = state.accumulator() ? device.allocate(4L * numRows) : null;
    lastSteps = state.lastStep() ? device.allocate(4L * numRows) : null;
    upload(matrix);
  }

  /** Makes these rows and their state those of a matrix of the same shape. */
  void upload(RowMatrix from) {
    for (RowMatrix.Shard shard : from.shards()) {
      device.upload(shard.rows(), rows, rowOffset(shard));
      if (accumulators != null) {
        device.upload(shard.accumulators(), accumulators, 4L * shard.from());
      }
      if (lastSteps != null) {
        device.upload(shard.lastSteps(), lastSteps, 4L * shard.from());
      }
    }
  }

  /** Makes the rows and state of a matrix of the same shape these. */
  void download(RowMatrix into) {
    for (RowMatrix.Shard shard : into.shards()) {
      download(rows, rowOffset(shard), shard.rows());
      download(accumulators, 4L * shard.from(), shard.accumulators());
      download(lastSteps, 4L * shard.from(), shard.lastSteps());
    }
  }

  private void download(@Nullable DeviceBuffer from, long offset, MemorySegment into) {
    if (from != null) {
      device.download(from, offset, into);
    }
  }

  private long rowOffset(RowMatrix.Shard shard) {
    return 4L * rowWords() * shard.from();
  }

  /** Number of rows: of classes. */
  int numRows() {
    return numRows;
  }

  /** Numbers of a row that carry weights. */
  int width() {
    return width;
  }

  /** Numbers of a row with its padding, a multiple of 16. */
  int stride() {
    return stride;
  }

  /** 4-byte words from row to row, velocities included. */
  int rowWords() {
    int words = bf16() ? stride / 2 : stride;
    return state.velocity() ? 2 * words : words;
  }

  /** Whether rows are kept as bf16, in the word layout of {@link RowFormat#BF16}. */
  boolean bf16() {
    return format == RowFormat.BF16;
  }

  /** What the optimizer keeps of each row. */
  RowMatrix.State state() {
    return state;
  }

  /** Address of row 0 on the device. */
  long address() {
    return rows.address();
  }

  /** Address of the sums of squared gradients (numRows), or 0 when the state has none. */
  long accumulators() {
    return accumulators == null ? 0 : accumulators.address();
  }

  /** Address of the steps up to which rows were moved (numRows), or 0 when the state has none. */
  long lastSteps() {
    return lastSteps == null ? 0 : lastSteps.address();
  }

  @Override
  public void close() {
    rows.close();
    if (accumulators != null) {
      accumulators.close();
    }
    if (lastSteps != null) {
      lastSteps.close();
    }
  }
}
