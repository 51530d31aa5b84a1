// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import megaclass.compute.RowMatrix;
import megaclass.compute.RowSlots;
import megaclass.compute.Workers;
import megaclass.head.HeadSettings;
import megaclass.optim.SparseOptimizer;
import megaclass.select.ClassSelector;
import org.jspecify.annotations.Nullable;

/**
 * Class weights that lie in the memory of the host, those in use in slots on the device: what
 * HF-Softmax does. Rows travel with what their optimizer keeps of them, many at once, packed by the
 * host in page-locked memory and put into their slots by the kernels of {@code slots.cu}. Rows that
 * were changed go back when they make room for others, and at {@link #flush}.
 *
 * <p>Owns its device memory until {@link #close}. Used by the thread of its device.
 */
final class HostRows implements RowSlots.Mover, AutoCloseable {
  private static final int BLOCK = 256;
  private static final int VECTOR_WORDS = 4;
  private static final int ROWS_PER_TASK = 256;
  private static final int MOST_AT_ONCE = 1 << 22;

  private final Device device;
  private final RowMatrix matrix;
  private final List<RowMatrix.Shard> shards;
  private final Places places;
  private final Workers workers;
  private final RowSlots directory;
  private final DeviceBuffer slots;
  private final int atOnce;
  private final MemorySegment pinned;
  private final DeviceBuffer packed;
  private final BitSet seen = new BitSet();
  private final Kernel placeRows;
  private final Kernel packRows;
  private final Kernel forgetRows;
  private boolean uploading;

  /**
   * A cache on the device.
   *
   * @param numSlots rows that it holds
   * @param copyBytes memory for rows that travel together, about
   * @param workers of the host, who pack rows
   */
  record Cache(int numSlots, long copyBytes, Workers workers) {
    /**
     * The one that a run needs.
     *
     * @return null when all rows are on the device
     */
    static @Nullable Cache of(HeadSettings settings, long copyBytes, Workers workers) {
      int numSlots = HostRows.numSlots(settings);
      return numSlots == numRows(settings) ? null : new Cache(numSlots, copyBytes, workers);
    }
  }

  /**
   * Slots on the device.
   *
   * @param rows address of (numSlots, rowWords) words
   * @param accumulators address of (numSlots) floats, or 0
   * @param lastSteps address of (numSlots) ints, or 0
   */
  record Places(long rows, int rowWords, long accumulators, long lastSteps) {
    /** Bytes of rows that travel together, with their classes and slots. */
    private long packedBytes(int count) {
      return placesAt(count) + 4L * count;
    }

    private long accumulatorsAt(int count) {
      return 4L * rowWords * count;
    }

    private long lastStepsAt(int count) {
      return accumulatorsAt(count) + (accumulators == 0 ? 0 : 4L * count);
    }

    private long classesAt(int count) {
      return lastStepsAt(count) + (lastSteps == 0 ? 0 : 4L * count);
    }

    private long placesAt(int count) {
      return classesAt(count) + 4L * count;
    }
  }

  /** A cache without rows over those of a matrix, which is lent. */
  HostRows(Device device, RowMatrix matrix, Places places, Cache cache) {
    this.device = device;
    this.matrix = matrix;
    this.places = places;
    shards = matrix.shards();
    workers = cache.workers;
    directory = new RowSlots(matrix.numRows(), cache.numSlots);
    slots = device.allocate(4L * matrix.numRows());
    atOnce = Math.clamp(cache.copyBytes / places.packedBytes(1), 1, cache.numSlots);
    pinned = device.allocatePinned(places.packedBytes(atOnce));
    packed = device.allocate(pinned.byteSize());
    placeRows = device.kernel("slots", "place_rows");
    packRows = device.kernel("slots", "pack_rows");
    forgetRows = device.kernel("slots", "forget_rows");
    clear();
  }

  /**
   * Class weights that a device has at a time: all of its own, or as many as {@code device.memory}
   * allows.
   *
   * @throws IllegalArgumentException when a batch makes more classes active
   */
  static int numSlots(HeadSettings settings) {
    long rowBytes = rowBytes(settings);
    int numSlots = Math.clamp(settings.deviceMemory() / rowBytes, 1, numRows(settings));
    long mostActive =
        ClassSelector.mostActive(settings.selector(), settings.numClasses(), settings.batchSize());
    if (numSlots < Math.min(mostActive, numRows(settings))) {
      throw new IllegalArgumentException(
          "device.memory holds %,d class weights of %,d bytes, but selector %s makes up to %,d classes active at a time; give it at least %d bytes, or take fewer active classes"
              .formatted(
                  numSlots, rowBytes, settings.selector(), mostActive, mostActive * rowBytes));
    }
    return numSlots;
  }

  /** The most classes of a device. */
  private static int numRows(HeadSettings settings) {
    return DeviceShard.mostClasses(settings.numClasses(), settings.deviceCount());
  }

  /** Bytes of a class weight with what the optimizer keeps of it. */
  static long rowBytes(HeadSettings settings) {
    return SparseOptimizer.stateFor(settings.optimizer())
        .bytesPerRow(settings.width(), settings.dtype());
  }

  /** Bytes on the device besides the slots, for the memory forecast. */
  static long sizeInBytes(HeadSettings settings, long copyBytes) {
    return numSlots(settings) == numRows(settings) ? 0 : 4L * settings.numClasses() + copyBytes;
  }

  /** Address of the slot of each class, (numClasses) ints, -1 for those that are not there. */
  long slots() {
    return slots.address();
  }

  /** Rows that are looked at together: those in use keep the other half of the slots. */
  int partRows() {
    return Math.clamp(directory.numSlots() / 2, 1, MOST_AT_ONCE);
  }

  /** Forgets all rows on the device: those of the matrix are others now. */
  void clear() {
    directory.clear();
    device.fill(slots, 0, slots.bytes(), -1);
  }

  /** Brings rows to the device that will be changed, and used again. */
  void fetch(RowChoice which) {
    int[] ids = read(which);
    directory.fetch(ids.length, i -> ids[i], this);
    change(ids);
  }

  /**
   * Brings rows to the device that are not in use.
   *
   * @param change whether they will be changed
   */
  void visit(RowChoice which, boolean change) {
    int[] ids = read(which);
    directory.visit(ids.length, i -> ids[i], this);
    if (change) {
      change(ids);
    }
  }

  private void change(int[] ids) {
    for (int id : ids) {
      directory.change(directory.slot(id));
    }
  }

  /**
   * Brings the rows of some classes part by part; the others have no slots, or stay.
   *
   * @param ids (count) ints on the device; -1, and the same again, is skipped
   * @param look called for each part
   */
  void visitAny(DeviceBuffer ids, int count, Runnable look) {
    int[] all = read(new RowChoice(ids.address(), 0, count));
    int[] distinct = new int[count];
    int n = 0;
    for (int id : all) {
      if (id >= 0 && !seen.get(id)) {
        seen.set(id);
        distinct[n++] = id;
      }
    }
    for (int i = 0; i < n; i++) {
      seen.clear(distinct[i]);
    }
    for (int from = 0; from < n; from += partRows()) {
      int first = from;
      directory.visit(Math.min(partRows(), n - from), i -> distinct[first + i], this);
      look.run();
    }
  }

  /** Class ids of a choice, on the host. */
  private int[] read(RowChoice which) {
    if (which.ids() == 0) {
      return IntStream.range(which.first(), which.first() + which.count()).toArray();
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment ids = arena.allocate(JAVA_INT, which.count());
      device.enter().copyToHost(ids, which.ids(), device.stream());
      device.synchronize();
      return ids.toArray(JAVA_INT);
    }
  }

  @Override
  public void load(int[] rows, int[] into) {
    for (int from = 0; from < rows.length; from += atOnce) {
      load(rows, into, from, Math.min(atOnce, rows.length - from));
    }
  }

  private void load(int[] rows, int[] into, int from, int count) {
    settle();
    inParallel(count, i -> pack(rows[from + i], i, count));
    MemorySegment.copy(rows, from, pinned, JAVA_INT, places.classesAt(count), count);
    MemorySegment.copy(into, from, pinned, JAVA_INT, places.placesAt(count), count);
    upload(0, places.packedBytes(count));
    placeRows.launch(
        blocks(count),
        1,
        BLOCK,
        0,
        packed.address(),
        packed.address() + places.accumulatorsAt(count),
        packed.address() + places.lastStepsAt(count),
        packed.address() + places.classesAt(count),
        packed.address() + places.placesAt(count),
        count,
        places.rowWords,
        places.rows,
        places.accumulators,
        places.lastSteps,
        slots.address());
  }

  private int blocks(int count) {
    return Math.toIntExact(Math.ceilDiv((long) count * places.rowWords / VECTOR_WORDS, BLOCK));
  }

  /** Copies a row from the matrix to its place among {@code count}. */
  private void pack(int row, int i, int count) {
    var shard = shards.get(row / RowMatrix.ROWS_PER_SHARD);
    long bytes = 4L * places.rowWords;
    MemorySegment.copy(shard.rows(), bytes * (row - shard.from()), pinned, bytes * i, bytes);
    if (places.accumulators != 0) {
      pinned.set(JAVA_FLOAT, places.accumulatorsAt(count) + 4L * i, matrix.accumulator(row));
    }
    if (places.lastSteps != 0) {
      pinned.set(JAVA_INT, places.lastStepsAt(count) + 4L * i, matrix.lastStep(row));
    }
  }

  /** The inverse of {@link #pack}. */
  private void unpack(int row, int i, int count) {
    var shard = shards.get(row / RowMatrix.ROWS_PER_SHARD);
    long bytes = 4L * places.rowWords;
    MemorySegment.copy(pinned, bytes * i, shard.rows(), bytes * (row - shard.from()), bytes);
    if (places.accumulators != 0) {
      matrix.setAccumulator(row, pinned.get(JAVA_FLOAT, places.accumulatorsAt(count) + 4L * i));
    }
    if (places.lastSteps != 0) {
      matrix.setLastStep(row, pinned.get(JAVA_INT, places.lastStepsAt(count) + 4L * i));
    }
  }

  private interface RowTask {
    void run(int i);
  }

  private void inParallel(int count, RowTask work) {
    workers.run(
        Math.ceilDiv(count, ROWS_PER_TASK),
        (task, _) -> {
          int to = Math.min((task + 1) * ROWS_PER_TASK, count);
          for (int i = task * ROWS_PER_TASK; i < to; i++) {
            work.run(i);
          }
        });
  }

  /** Copies a part of the page-locked memory to the same place on the device. */
  private void upload(long from, long to) {
    device.upload(pinned.asSlice(from, to - from), packed, from);
    uploading = true;
  }

  /** Waits until the page-locked memory may change. */
  private void settle() {
    if (uploading) {
      device.synchronize();
      uploading = false;
    }
  }

  @Override
  public void evict(int[] leaving) {
    for (int from = 0; from < leaving.length; from += atOnce) {
      int count = Math.min(atOnce, leaving.length - from);
      settle();
      for (int i = 0; i < count; i++) {
        pinned.setAtIndex(JAVA_INT, i, directory.row(leaving[from + i]));
      }
      upload(0, 4L * count);
      forgetRows.launch(
          Math.ceilDiv(count, BLOCK), 1, BLOCK, 0, packed.address(), count, slots.address());
    }
    writeBack(leaving);
  }

  /** Brings the rows of some slots to the matrix, those that were changed. */
  private void writeBack(int[] of) {
    long[] changed = directory.takeChanged(of);
    for (int from = 0; from < changed.length; from += atOnce) {
      writeBack(changed, from, Math.min(atOnce, changed.length - from));
    }
  }

  private void writeBack(long[] changed, int from, int count) {
    settle();
    long placesAt = places.placesAt(count);
    for (int i = 0; i < count; i++) {
      pinned.set(JAVA_INT, placesAt + 4L * i, (int) changed[from + i]);
    }
    upload(placesAt, placesAt + 4L * count);
    packRows.launch(
        blocks(count),
        1,
        BLOCK,
        0,
        places.rows,
        places.accumulators,
        places.lastSteps,
        packed.address() + placesAt,
        count,
        places.rowWords,
        packed.address(),
        packed.address() + places.accumulatorsAt(count),
        packed.address() + places.lastStepsAt(count));
    device.download(packed, 0, pinned.asSlice(0, places.classesAt(count)));
    uploading = false;
    inParallel(count, i -> unpack((int) (changed[from + i] >>> 32), i, count));
  }

  /** Brings all rows that were changed to the matrix. */
  void flush() {
    int numSlots = directory.numSlots();
    for (int from = 0; from < numSlots; ) {
      int to = from + Math.min(MOST_AT_ONCE, numSlots - from);
      writeBack(IntStream.range(from, to).toArray());
      from = to;
    }
  }

  @Override
  public void close() {
    slots.close();
    packed.close();
    directory.close();
  }
}
