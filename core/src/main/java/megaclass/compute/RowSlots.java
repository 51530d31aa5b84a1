// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/**
 * Which rows lie in the slots of a cache, and which of them make room for others: rows that were
 * not used for a while (the clock algorithm, Corbato 1968), and before them those that were only
 * visited. It moves nothing itself: a {@link Mover} does.
 *
 * <p>Owns its tables until {@link #close}. {@link #slot}, {@link #row} and {@link #change} by any
 * thread, for different rows; the rest by one thread while nobody else uses the cache.
 */
public final class RowSlots implements AutoCloseable {
  /** Rows that make room together, of all slots: so that they leave in long batches. */
  private static final int PARTS = 64;

  /** Marks slots on the list of free ones. */
  private static final int NO_ROW = Integer.MIN_VALUE;

  private static final byte IDLE = 0;
  private static final byte USED = 1;
  private static final byte VISITED = 2;

  /** Beside one of the others: the slot must not make room. */
  private static final byte IN_STEP = 4;

  private final int numSlots;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment slotOf;
  private final MemorySegment rowOf;
  private final MemorySegment state;
  private final MemorySegment changed;
  private int numUsed;
  private int hand;
  private int[] inStep = new int[0];
  private int numInStep;
  private int[] free = new int[0];
  private int numFree;
  private int[] visited = new int[0];
  private int numVisited;

  /** Brings rows to their slots and takes them away. */
  public interface Mover {
    /**
     * Rows leave: {@link #takeChanged} tells which of them were changed and have to be saved.
     *
     * @param slots in which they still are
     */
    void evict(int[] slots);

    /**
     * Rows come.
     *
     * @param rows ascending
     * @param slots where each of them goes
     */
    void load(int[] rows, int[] slots);
  }

  /** A cache without rows. */
  public RowSlots(int numRows, int numSlots) {
    this.numSlots = numSlots;
    slotOf = NativeMemory.allocate(4L * numRows, arena);
    rowOf = NativeMemory.allocate(4L * numSlots, arena);
    state = NativeMemory.allocate(numSlots, arena);
    changed = NativeMemory.allocate(numSlots, arena);
  }

  /** Bytes of the tables of such a cache. */
  public static long sizeInBytes(int numRows, int numSlots) {
    return 6L * numSlots + 4L * numRows;
  }

  /** Rows that there is room for. */
  public int numSlots() {
    return numSlots;
  }

  /** Slot of a row, or -1. */
  public int slot(int row) {
    return slotOf.get(JAVA_INT, 4L * row) - 1;
  }

  /** The row in a slot that has one. */
  public int row(int slot) {
    return rowOf.get(JAVA_INT, 4L * slot) & Integer.MAX_VALUE;
  }

  /** Takes note that the row in a slot is changed. */
  public void change(int slot) {
    changed.set(JAVA_BYTE, slot, (byte) 1);
  }

  /**
   * The slots among some whose rows were changed; from here on they count as unchanged.
   *
   * @return {@code row << 32 | slot} of each, ascending
   */
  public long[] takeChanged(int[] of) {
    long[] taken = new long[of.length];
    int count = 0;
    for (int slot : of) {
      if (changed.get(JAVA_BYTE, slot) != 0) {
        changed.set(JAVA_BYTE, slot, (byte) 0);
        taken[count++] = (long) row(slot) << 32 | slot;
      }
    }
    long[] all = Arrays.copyOf(taken, count);
    Arrays.sort(all);
    return all;
  }

  /**
   * Brings rows that will be used again; they stay until others are brought.
   *
   * @param rowAt from [0, count) to distinct rows
   * @throws IllegalArgumentException when they are more than there are slots
   */
  public void fetch(int count, IntUnaryOperator rowAt, Mover mover) {
    bring(count, rowAt, USED, mover);
  }

  /** As {@link #fetch}, for rows that are looked at once: they are the first to make room. */
  public void visit(int count, IntUnaryOperator rowAt, Mover mover) {
    bring(count, rowAt, VISITED, mover);
  }

  private void bring(int count, IntUnaryOperator rowAt, byte purpose, Mover mover) {
    if (count > numSlots) {
      throw new IllegalArgumentException(
          "a step uses %,d class weights, but memory for them holds %,d; give it more, or take fewer active classes"
              .formatted(count, numSlots));
    }
    releaseStep();
    inStep = withRoom(inStep, count);
    int[] missing = new int[count];
    int numMissing = 0;
    for (int i = 0; i < count; i++) {
      int row = rowAt.applyAsInt(i);
      int slot = slot(row);
      if (slot < 0) {
        missing[numMissing++] = row;
      } else {
        keep(slot, purpose == USED ? USED : state.get(JAVA_BYTE, slot));
      }
    }
    if (numMissing > 0) {
      int[] rows = Arrays.copyOf(missing, numMissing);
      Arrays.sort(rows);
      makeRoom(numMissing, mover);
      load(rows, purpose, mover);
    }
  }

  private static int[] withRoom(int[] array, int size) {
    return array.length >= size ? array : Arrays.copyOf(array, size + size / 4);
  }

  private void keep(int slot, byte as) {
    state.set(JAVA_BYTE, slot, (byte) (as | IN_STEP));
    inStep[numInStep++] = slot;
  }

  private void releaseStep() {
    for (int i = 0; i < numInStep; i++) {
      state.set(JAVA_BYTE, inStep[i], (byte) (state.get(JAVA_BYTE, inStep[i]) & ~IN_STEP));
    }
    numInStep = 0;
  }

  /** Puts at least so many slots on the list of free ones. */
  private void makeRoom(int wanted, Mover mover) {
    if (numFree >= wanted) {
      return;
    }
    int most = Math.max(wanted, numSlots / PARTS);
    free = Arrays.copyOf(free, most);
    while (numFree < most && numUsed < numSlots) {
      rowOf.set(JAVA_INT, 4L * numUsed, NO_ROW);
      free[numFree++] = numUsed++;
    }
    if (numFree < wanted) {
      evict(wanted, most, mover);
    }
  }

  private void evict(int wanted, int most, Mover mover) {
    int first = numFree;
    while (numVisited > 0 && numFree < most) {
      int slot = visited[--numVisited];
      if (state.get(JAVA_BYTE, slot) == VISITED && isHeld(slot)) {
        leave(slot);
      }
    }
    for (long passed = 0; numFree < most && (numFree < wanted || passed < numSlots); passed++) {
      byte now = state.get(JAVA_BYTE, hand);
      if (now == USED) {
        state.set(JAVA_BYTE, hand, IDLE);
      } else if ((now == IDLE || now == VISITED) && isHeld(hand)) {
        leave(hand);
      }
      hand = hand + 1 == numSlots ? 0 : hand + 1;
    }
    int[] leaving = Arrays.copyOfRange(free, first, numFree);
    mover.evict(leaving);
    for (int slot : leaving) {
      slotOf.set(JAVA_INT, 4L * row(slot), 0);
      rowOf.set(JAVA_INT, 4L * slot, NO_ROW);
    }
  }

  private void leave(int slot) {
    free[numFree++] = slot;
    rowOf.set(JAVA_INT, 4L * slot, rowOf.get(JAVA_INT, 4L * slot) | NO_ROW);
  }

  /** Whether a slot holds a row and is not on the list of free ones: these are marked. */
  private boolean isHeld(int slot) {
    return rowOf.get(JAVA_INT, 4L * slot) >= 0;
  }

  private void load(int[] rows, byte purpose, Mover mover) {
    int firstFree = numFree - rows.length;
    int[] slots = Arrays.copyOfRange(free, firstFree, numFree);
    mover.load(rows, slots);
    if (purpose == VISITED) {
      visited = withRoom(visited, numVisited + rows.length);
    }
    for (int i = 0; i < rows.length; i++) {
      slotOf.set(JAVA_INT, 4L * rows[i], slots[i] + 1);
      rowOf.set(JAVA_INT, 4L * slots[i], rows[i]);
      keep(slots[i], purpose);
      if (purpose == VISITED) {
        visited[numVisited++] = slots[i];
      }
    }
    numFree = firstFree;
  }

  /** Forgets all rows, changed ones too. */
  public void clear() {
    slotOf.fill((byte) 0);
    rowOf.fill((byte) 0);
    state.fill((byte) 0);
    changed.fill((byte) 0);
    numUsed = 0;
    numFree = 0;
    numInStep = 0;
    numVisited = 0;
    hand = 0;
  }

  @Override
  public void close() {
    arena.close();
  }
}
