// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * Rows on disk, the hot ones of them in memory: a {@link RowFile} and its cache. {@link #fetch}
 * brings in the rows of a step, all at once and in the order of the file; rows that make room for
 * them ({@link RowSlots}) and were changed are written back together, in that order, too.
 *
 * <p>{@code fetch}, {@code flush} and {@code close} by one thread while nobody else uses the cache;
 * the rest by any thread, for different rows.
 */
final class RowCache implements AutoCloseable {
  private static final int ROWS_PER_TASK = 256;

  /** Rows of the file among which the changed ones are written together when all are. */
  private static final int ROWS_AT_ONCE = 1 << 22;

  private final RowFile file;
  private final int rowBytes;
  private final int numRows;
  private final Arena arena = Arena.ofShared();
  private final RowSlots directory;
  private final MemorySegment slots;

  /**
   * Opens a file of rows, or makes it; what it holds then is anything.
   *
   * @param bytes of memory for rows
   * @throws java.io.UncheckedIOException when there is no room for it, or it cannot be written
   */
  RowCache(Path path, int numRows, int rowBytes, long bytes) {
    file = new RowFile(path, numRows, rowBytes);
    this.rowBytes = rowBytes;
    this.numRows = numRows;
    directory = new RowSlots(numRows, numSlots(numRows, rowBytes, bytes));
    slots = NativeMemory.allocate((long) directory.numSlots() * rowBytes, arena);
  }

  private static int numSlots(int numRows, int rowBytes, long bytes) {
    return Math.clamp(bytes / rowBytes, 1, numRows);
  }

  /** Bytes of a cache, with its tables. */
  static long sizeInBytes(int numRows, int rowBytes, long bytes) {
    int numSlots = numSlots(numRows, rowBytes, bytes);
    return (long) numSlots * rowBytes + RowSlots.sizeInBytes(numRows, numSlots);
  }

  private long address(int slot) {
    return slots.address() + (long) slot * rowBytes;
  }

  private MemorySegment bytes(int slot) {
    return slots.asSlice((long) slot * rowBytes, rowBytes);
  }

  /** Rows that one {@link #fetch} may bring at most. */
  int capacity() {
    return directory.numSlots();
  }

  /** Where a row can be read: in memory or through the mapping of its file. */
  long read(int row) {
    int slot = directory.slot(row);
    return slot < 0 ? file.address(row) : address(slot);
  }

  /**
   * Where a row can be changed.
   *
   * @throws IllegalStateException when it was not fetched
   */
  long change(int row) {
    int slot = directory.slot(row);
    if (slot < 0) {
      throw new IllegalStateException("row " + row + " is changed but was not fetched");
    }
    directory.change(slot);
    return address(slot);
  }

  /**
   * Brings rows to memory, where they stay until others are fetched.
   *
   * @param rowAt from [0, count) to distinct rows
   * @throws IllegalArgumentException when they are more than the cache holds
   */
  void fetch(int count, IntUnaryOperator rowAt, Workers workers) {
    directory.fetch(
        count,
        rowAt,
        new RowSlots.Mover() {
          @Override
          public void evict(int[] slots) {
            writeBack(slots, workers);
          }

          @Override
          public void load(int[] rows, int[] slots) {
            read(rows, slots, workers);
          }
        });
  }

  /** Writes the changed rows among those of some slots to the file, in its order. */
  private void writeBack(int[] of, Workers workers) {
    long[] order = directory.takeChanged(of);
    int numChanged = order.length;
    int[] rows = new int[numChanged];
    Arrays.setAll(rows, i -> (int) (order[i] >>> 32));
    file.save(rows, numChanged);
    workers.run(
        Math.ceilDiv(numChanged, ROWS_PER_TASK),
        (task, _) -> {
          int from = task * ROWS_PER_TASK;
          int to = Math.min(from + ROWS_PER_TASK, numChanged);
          for (int i = from; i < to; i++) {
            file.willNeed(rows[i]);
          }
          for (int i = from; i < to; i++) {
            file.write(rows[i], bytes((int) order[i]));
          }
        });
  }

  /**
   * Tells the system that rows will be fetched soon, so that the disk reads them meanwhile.
   *
   * @param rows distinct, those that are in memory among them
   */
  void announce(int[] rows, Workers workers) {
    workers.run(
        Math.ceilDiv(rows.length, ROWS_PER_TASK),
        (task, _) -> {
          int from = task * ROWS_PER_TASK;
          int to = Math.min(from + ROWS_PER_TASK, rows.length);
          for (int i = from; i < to; i++) {
            if (directory.slot(rows[i]) < 0) {
              file.willNeed(rows[i]);
            }
          }
        });
  }

  private void read(int[] rows, int[] into, Workers workers) {
    announce(rows, workers);
    workers.run(
        Math.ceilDiv(rows.length, ROWS_PER_TASK),
        (task, _) -> {
          int from = task * ROWS_PER_TASK;
          int to = Math.min(from + ROWS_PER_TASK, rows.length);
          for (int i = from; i < to; i++) {
            bytes(into[i]).copyFrom(file.rows(rows[i], rows[i] + 1L));
          }
        });
  }

  /** Rows {@code [from, to)} as they lie in the file, to be read. */
  MemorySegment rows(long from, long to) {
    return file.rows(from, to);
  }

  /** Writes many rows that follow each other, none of which is in memory, to the file. */
  void writeMany(long row, MemorySegment bytes) {
    file.writeMany(row, bytes);
  }

  /** Brings all changed rows to the disk, from the beginning of the file to its end. */
  void flush(Workers workers) {
    for (int from = 0; from < numRows; ) {
      int to = from + Math.min(ROWS_AT_ONCE, numRows - from);
      writeBack(
          IntStream.range(from, to).map(directory::slot).filter(s -> s >= 0).toArray(), workers);
      from = to;
    }
    file.force();
  }

  /** From here on rows go back to what the file holds now, a checkpoint after so many steps. */
  void checkpoint(long stepsDone) {
    file.checkpoint(stepsDone);
  }

  /**
   * Makes all rows those of a checkpoint again.
   *
   * @throws megaclass.internal.InvalidFileException when the log beside the file does not allow it
   */
  void rollBack(long stepsDone) {
    directory.clear();
    file.rollBack(stepsDone);
  }

  @Override
  public void close() {
    arena.close();
    directory.close();
    file.close();
  }
}
