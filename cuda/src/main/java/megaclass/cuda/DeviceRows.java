// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.MemorySegment;
import java.util.List;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a range of classes on the device with what their optimizer keeps of each: that part
 * of a {@link RowMatrix} in one piece, byte for byte as its shards, so that these come and go by
 * plain copies. Kernels find a row by the id of its class: addresses are those that class 0 would
 * have. Or as many rows of all classes as there is room for, with the rest in a matrix of the host
 * ({@link HostRows}): then a row is where {@link #slots} says, and only while it was asked for by
 * {@link #hold} or in parts.
 *
 * <p>Owns its device memory until {@link #close}. Used by the thread of its device.
 */
final class DeviceRows implements AutoCloseable {
  private final Device device;
  private final int first;
  private final int numRows;
  private final int width;
  private final int stride;
  private final RowFormat format;
  private final RowMatrix.State state;
  private final DeviceBuffer rows;
  private final @Nullable DeviceBuffer accumulators;
  private final @Nullable DeviceBuffer lastSteps;
  private final @Nullable HostRows host;

  /**
   * Copies a matrix to the device.
   *
   * @throws DeviceMemoryException when the device has no room for it
   */
  DeviceRows(Device device, RowMatrix matrix) {
    this(device, matrix, 0, matrix.numRows(), null);
    upload(matrix);
  }

  /**
   * Allocates the rows {@code [from, to)} of a matrix.
   *
   * @param cache of rows that stay in the matrix, which is lent, and of which these are all; null
   *     for all on the device
   * @throws DeviceMemoryException when the device has no room for it
   */
  DeviceRows(Device device, RowMatrix matrix, int from, int to, HostRows.@Nullable Cache cache) {
    this.device = device;
    first = from;
    numRows = to - from;
    width = matrix.width();
    stride = matrix.stride();
    format = matrix.format();
    state = matrix.state();
    long numSlots = cache == null ? numRows : cache.numSlots();
    rows = device.allocate(4L * rowWords() * numSlots);
    accumulators = state.accumulator() ? device.allocate(4 * numSlots) : null;
    lastSteps = state.lastStep() ? device.allocate(4 * numSlots) : null;
    host = cache == null ? null : new HostRows(device, matrix, places(), cache);
  }

  private HostRows.Places places() {
    return new HostRows.Places(address(), rowWords(), accumulators(), lastSteps());
  }

  /**
   * Makes these rows and their state those of a matrix of the same shape: of the one that rows stay
   * in, if they do.
   */
  void upload(RowMatrix from) {
    if (host != null) {
      host.clear();
      return;
    }
    for (RowMatrix.Shard shard : parts(from)) {
      device.upload(shard.rows(), rows, rowOffset(shard));
      if (accumulators != null) {
        device.upload(shard.accumulators(), accumulators, 4L * shard.from());
      }
      if (lastSteps != null) {
        device.upload(shard.lastSteps(), lastSteps, 4L * shard.from());
      }
    }
  }

  /** Makes the rows and state of a matrix of the same shape these, as {@link #upload}. */
  void download(RowMatrix into) {
    if (host != null) {
      host.flush();
      return;
    }
    for (RowMatrix.Shard shard : parts(into)) {
      download(rows, rowOffset(shard), shard.rows());
      download(accumulators, 4L * shard.from(), shard.accumulators());
      download(lastSteps, 4L * shard.from(), shard.lastSteps());
    }
  }

  /** The shards of a matrix as far as these rows are in them, numbered as these are. */
  private List<RowMatrix.Shard> parts(RowMatrix matrix) {
    return matrix.shards().stream()
        .filter(shard -> shard.from() < first + numRows && first < shard.to())
        .map(this::part)
        .toList();
  }

  private RowMatrix.Shard part(RowMatrix.Shard shard) {
    int from = Math.max(first, shard.from());
    int to = Math.min(first + numRows, shard.to());
    return new RowMatrix.Shard(
        from - first,
        to - first,
        part(shard.rows(), shard, from, to),
        part(shard.accumulators(), shard, from, to),
        part(shard.lastSteps(), shard, from, to));
  }

  private static MemorySegment part(MemorySegment of, RowMatrix.Shard shard, int from, int to) {
    long bytes = of.byteSize() / (shard.to() - shard.from());
    return of.asSlice(bytes * (from - shard.from()), bytes * (to - from));
  }

  private void download(@Nullable DeviceBuffer from, long offset, MemorySegment into) {
    if (from != null) {
      device.download(from, offset, into);
    }
  }

  private long rowOffset(RowMatrix.Shard shard) {
    return 4L * rowWords() * shard.from();
  }

  /** Work on rows that are on the device meanwhile. */
  interface PartWork {
    /**
     * Works.
     *
     * @param part some of the rows
     * @param from where they begin among all
     */
    void run(RowChoice part, int from);
  }

  /** Brings rows to the device, to be changed, until others are asked for. */
  void hold(RowChoice which) {
    if (host != null) {
      host.fetch(which);
    }
  }

  /** Reads rows part by part, in their order. */
  void readInParts(RowChoice which, PartWork work) {
    inParts(which, false, work);
  }

  /** Changes rows part by part, in their order. */
  void changeInParts(RowChoice which, PartWork work) {
    inParts(which, true, work);
  }

  private void inParts(RowChoice which, boolean change, PartWork work) {
    if (host == null) {
      work.run(which, 0);
      return;
    }
    for (int from = 0; from < which.count(); ) {
      var part = which.part(from, Math.min(host.partRows(), which.count() - from));
      host.visit(part, change);
      work.run(part, from);
      from += part.count();
    }
  }

  /**
   * Looks at the rows of any classes, part by part: at those that {@link #slots} has meanwhile.
   *
   * @param ids (count) class ids on the device, also more than once; -1 is skipped
   */
  void readAny(DeviceBuffer ids, int count, Runnable look) {
    if (host == null) {
      look.run();
    } else {
      host.visitAny(ids, count, look);
    }
  }

  /** Address of the slot of each class (numRows), or 0 where rows are at the ids of classes. */
  long slots() {
    return host == null ? 0 : host.slots();
  }

  private DeviceRows(DeviceRows like, int numRows, Lent lent) {
    device = like.device;
    first = 0;
    this.numRows = numRows;
    width = like.width;
    stride = like.stride;
    format = lent.format;
    state = lent.state;
    rows = lent.rows;
    accumulators = lent.accumulators;
    lastSteps = lent.lastSteps;
    host = null;
  }

  /** Memory of others, and how rows lie in it. */
  private record Lent(
      RowFormat format,
      RowMatrix.State state,
      DeviceBuffer rows,
      @Nullable DeviceBuffer accumulators,
      @Nullable DeviceBuffer lastSteps) {}

  /** The same rows, found by their places among these: the first one at 0. Not to be closed. */
  DeviceRows byPlace() {
    return first == 0
        ? this
        : new DeviceRows(this, numRows, new Lent(format, state, rows, accumulators, lastSteps));
  }

  /**
   * Other rows of this width, found by their places. Not to be closed.
   *
   * @param floats (numRows, stride) floats, lent
   */
  DeviceRows others(DeviceBuffer floats, int numRows) {
    return new DeviceRows(
        this, numRows, new Lent(RowFormat.FP32, RowMatrix.State.NONE, floats, null, null));
  }

  /** All of these rows. */
  RowChoice all() {
    return RowChoice.range(first, numRows);
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

  /** Address of the row of class 0 on the device, if it were there, or of the row in slot 0. */
  long address() {
    return rows.address() - 4L * rowWords() * first;
  }

  /**
   * Address of the sums of squared gradients, as {@link #address} of rows, or 0 when the state has
   * none.
   */
  long accumulators() {
    return accumulators == null ? 0 : accumulators.address() - 4L * first;
  }

  /**
   * Address of the steps up to which rows were moved, as {@link #address} of rows, or 0 when the
   * state has none.
   */
  long lastSteps() {
    return lastSteps == null ? 0 : lastSteps.address() - 4L * first;
  }

  @Override
  public void close() {
    if (host != null) {
      host.close();
    }
    rows.close();
    if (accumulators != null) {
      accumulators.close();
    }
    if (lastSteps != null) {
      lastSteps.close();
    }
  }
}
