// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * Rows on disk, the hot ones of them in memory: a {@link RowFile} and its cache. {@link #fetch}
 * brings in the rows of a step, all at once and in the order of the file; rows that were not used
 * for a while make room (the clock algorithm, Corbato 1968), and those of them that were changed
 * are written back together, in that order, too.
 *
 * <p>{@code fetch}, {@code flush} and {@code close} by one thread while nobody else uses the cache;
 * the rest by any thread, for different rows.
 */
final class RowCache implements AutoCloseable {
  /** Rows that make room together, of all slots: so that writes come in long batches. */
  private static final int PARTS = 64;

  private static final int ROWS_PER_TASK = 256;

  /** Rows of the file among which the changed ones are written together when all are. */
  private static final int ROWS_AT_ONCE = 1 << 22;

  /** Marks slots on the list of free ones. */
  private static final int NO_ROW = Integer.MIN_VALUE;

  private static final byte IDLE = 0;
  private static final byte USED = 1;
  private static final byte IN_STEP = 2;

  private final RowFile file;
  private final int rowBytes;
  private final int numSlots;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment slots;
  private final MemorySegment slotOf;
  private final MemorySegment rowOf;
  private final MemorySegment state;
  private final MemorySegment changed;
  private int numUsed;
  private int hand;
  private int[] missing = new int[0];
  private int[] inStep = new int[0];
  private int numInStep;
  private int[] free = new int[0];
  private int numFree;

  /**
   * Opens a file of rows, or makes it; what it holds then is anything.
   *
   * @param bytes of memory for rows
   * @throws java.io.UncheckedIOException when there is no room for it, or it cannot be written
   */
  RowCache(Path path, int numRows, int rowBytes, long bytes) {
    file = new RowFile(path, numRows, rowBytes);
    this.rowBytes = rowBytes;
    numSlots = numSlots(numRows, rowBytes, bytes);
    slots = NativeMemory.allocate((long) numSlots * rowBytes, arena);
    slotOf = NativeMemory.allocate(4L * numRows, arena);
    rowOf = NativeMemory.allocate(4L * numSlots, arena);
    state = NativeMemory.allocate(numSlots, arena);
    changed = NativeMemory.allocate(numSlots, arena);
  }

  private static int numSlots(int numRows, int rowBytes, long bytes) {
    return Math.clamp(bytes / rowBytes, 1, numRows);
  }

  /** Bytes of a cache, with its tables. */
  static long sizeInBytes(int numRows, int rowBytes, long bytes) {
    return numSlots(numRows, rowBytes, bytes) * (rowBytes + 6L) + 4L * numRows;
  }

  /** Slot of a row, or -1. */
  private int slot(int row) {
    return slotOf.get(JAVA_INT, 4L * row) - 1;
  }

  private long address(int slot) {
    return slots.address() + (long) slot * rowBytes;
  }

  private MemorySegment bytes(int slot) {
    return slots.asSlice((long) slot * rowBytes, rowBytes);
  }

  /** Rows that one {@link #fetch} may bring at most. */
  int capacity() {
    return numSlots;
  }

  /** Where a row can be read: in memory or through the mapping of its file. */
  long read(int row) {
    int slot = slot(row);
    return slot < 0 ? file.address(row) : address(slot);
  }

  /**
   * Where a row can be changed.
   *
   * @throws IllegalStateException when it was not fetched
   */
  long change(int row) {
    int slot = slot(row);
    if (slot < 0) {
      throw new IllegalStateException("row " + row + " is changed but was not fetched");
    }
    changed.set(JAVA_BYTE, slot, (byte) 1);
    return address(slot);
  }

  /**
   * Brings rows to memory, where they stay until others are fetched.
   *
   * @param rowAt from [0, count) to distinct rows
   * @throws IllegalArgumentException when they are more than the cache holds
   */
  void fetch(int count, IntUnaryOperator rowAt, Workers workers) {
    if (count > numSlots) {
      throw new IllegalArgumentException(
          "a step uses %,d class weights, but memory for them holds %,d; give it more, or take fewer active classes"
              .formatted(count, numSlots));
    }
    releaseStep();
    inStep = withRoom(inStep, count);
    missing = withRoom(missing, count);
    int numMissing = 0;
    for (int i = 0; i < count; i++) {
      int row = rowAt.applyAsInt(i);
      int slot = slot(row);
      if (slot < 0) {
        missing[numMissing++] = row;
      } else {
        keep(slot);
      }
    }
    if (numMissing > 0) {
      Arrays.sort(missing, 0, numMissing);
      makeRoom(numMissing, workers);
      load(numMissing, workers);
    }
  }

  private static int[] withRoom(int[] array, int size) {
    return array.length >= size ? array : new int[size + size / 4];
  }

  private void keep(int slot) {
    state.set(JAVA_BYTE, slot, IN_STEP);
    inStep[numInStep++] = slot;
  }

  private void releaseStep() {
    for (int i = 0; i < numInStep; i++) {
      state.set(JAVA_BYTE, inStep[i], USED);
    }
    numInStep = 0;
  }

  /** Puts at least so many slots on the list of free ones. */
  private void makeRoom(int wanted, Workers workers) {
    if (numFree >= wanted) {
      return;
    }
    int most = Math.max(wanted, numSlots / PARTS);
    int[] slotsToFree = Arrays.copyOf(free, most);
    while (numFree < most && numUsed < numSlots) {
      rowOf.set(JAVA_INT, 4L * numUsed, NO_ROW);
      slotsToFree[numFree++] = numUsed++;
    }
    free = slotsToFree;
    if (numFree < wanted) {
      evict(wanted, most, workers);
    }
  }

  private void evict(int wanted, int most, Workers workers) {
    int first = numFree;
    for (long passed = 0; numFree < most && (numFree < wanted || passed < numSlots); passed++) {
      byte now = state.get(JAVA_BYTE, hand);
      if (now == USED) {
        state.set(JAVA_BYTE, hand, IDLE);
      } else if (now == IDLE && isHeld(hand)) {
        free[numFree++] = hand;
        rowOf.set(JAVA_INT, 4L * hand, rowOf.get(JAVA_INT, 4L * hand) | NO_ROW);
      }
      hand = hand + 1 == numSlots ? 0 : hand + 1;
    }
    writeBack(Arrays.copyOfRange(free, first, numFree), workers);
    for (int i = first; i < numFree; i++) {
      int row = rowOf.get(JAVA_INT, 4L * free[i]) & Integer.MAX_VALUE;
      slotOf.set(JAVA_INT, 4L * row, 0);
      rowOf.set(JAVA_INT, 4L * free[i], NO_ROW);
    }
  }

  /** Whether a slot holds a row and is not on the list of free ones: these are marked. */
  private boolean isHeld(int slot) {
    return rowOf.get(JAVA_INT, 4L * slot) >= 0;
  }

  /** Writes the changed rows among those of some slots to the file, in its order. */
  private void writeBack(int[] of, Workers workers) {
    long[] order = new long[of.length];
    int count = 0;
    for (int slot : of) {
      if (changed.get(JAVA_BYTE, slot) != 0) {
        changed.set(JAVA_BYTE, slot, (byte) 0);
        long row = rowOf.get(JAVA_INT, 4L * slot) & Integer.MAX_VALUE;
        order[count++] = row << 32 | slot;
      }
    }
    int numChanged = count;
    Arrays.sort(order, 0, numChanged);
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
            if (slot(rows[i]) < 0) {
              file.willNeed(rows[i]);
            }
          }
        });
  }

  private void load(int count, Workers workers) {
    announce(Arrays.copyOf(missing, count), workers);
    int firstFree = numFree - count;
    workers.run(
        Math.ceilDiv(count, ROWS_PER_TASK),
        (task, _) -> {
          int from = task * ROWS_PER_TASK;
          int to = Math.min(from + ROWS_PER_TASK, count);
          for (int i = from; i < to; i++) {
            bytes(free[firstFree + i]).copyFrom(file.rows(missing[i], missing[i] + 1L));
          }
        });
    for (int i = 0; i < count; i++) {
      int slot = free[firstFree + i];
      slotOf.set(JAVA_INT, 4L * missing[i], slot + 1);
      rowOf.set(JAVA_INT, 4L * slot, missing[i]);
      keep(slot);
    }
    numFree = firstFree;
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
    int numRows = (int) (slotOf.byteSize() / 4);
    for (int from = 0; from < numRows; ) {
      int to = from + Math.min(ROWS_AT_ONCE, numRows - from);
      writeBack(IntStream.range(from, to).map(this::slot).filter(s -> s >= 0).toArray(), workers);
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
    clear();
    file.rollBack(stepsDone);
  }

  /** Forgets all rows in memory without writing them. */
  private void clear() {
    slotOf.fill((byte) 0);
    rowOf.fill((byte) 0);
    state.fill((byte) 0);
    changed.fill((byte) 0);
    numUsed = 0;
    numFree = 0;
    numInStep = 0;
    hand = 0;
  }

  @Override
  public void close() {
    arena.close();
    file.close();
  }
}
