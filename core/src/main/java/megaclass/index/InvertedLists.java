// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static megaclass.compute.CodeKernels.BLOCK;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import megaclass.compute.CodeKernels;
import megaclass.compute.NativeMemory;

/**
 * Which classes are in which list, and their codes, list after list.
 *
 * <p>A class has a slot: a place for its code, one float beside it (the factor) and its id. Slots
 * come in blocks of 8, whose codes lie word by word (word 0 of all 8, word 1 of all 8, ...), as the
 * scans read them; a list is some blocks in a row with a few free slots at its end. A class that
 * moves takes a free slot of its new list, and the last one of its old list fills the gap. A full
 * list gets a block from the nearest list that has a free one: each list in between goes one block
 * aside, for which it takes up only its outermost block and puts it down at its other end. Only
 * when no list has a free block is everything laid out anew.
 *
 * <p>Codes of different classes may be written by several threads at once; {@link #move} is for
 * one.
 */
final class InvertedLists implements AutoCloseable {
  /** Free slots are a 24th of a list, which keeps the bytes a class near those of its code. */
  private static final int ROOM = 24;

  private static final int NONE = -1;

  private final int words;
  private final int[] slotOf;
  private final int[] sizes;
  private final int[] firstBlocks;
  private int[] classIds = new int[0];
  private int[] listOfBlock = new int[0];
  private Arena arena = Arena.ofShared();
  private MemorySegment codes = MemorySegment.NULL;
  private MemorySegment factors = MemorySegment.NULL;

  /**
   * Lays out all classes, with codes of zero.
   *
   * @param words longs of a code
   * @param listOf list of each class, (numClasses)
   */
  InvertedLists(int words, int numLists, int[] listOf) {
    this.words = words;
    this.slotOf = new int[listOf.length];
    this.sizes = new int[numLists];
    this.firstBlocks = new int[numLists + 1];
    Arrays.fill(slotOf, NONE);
    layOut(listOf);
  }

  /** Bytes of so many classes, about: what a few free slots take more is not known before. */
  static long sizeInBytes(long numClasses, int numLists, int words) {
    long slots = numClasses + numClasses / ROOM + (long) numLists * BLOCK;
    return numClasses * 4 + slots * (8L * words + 4 + 4) + slots / BLOCK * 4;
  }

  private void layOut(int[] listOf) {
    Arrays.fill(sizes, 0);
    for (int list : listOf) {
      sizes[list]++;
    }
    for (int list = 0; list < sizes.length; list++) {
      int slots = sizes[list] + sizes[list] / ROOM + 1;
      firstBlocks[list + 1] = firstBlocks[list] + Math.ceilDiv(slots, BLOCK);
    }
    int numBlocks = firstBlocks[sizes.length];
    Arena oldArena = arena;
    MemorySegment oldCodes = codes;
    MemorySegment oldFactors = factors;
    arena = Arena.ofShared();
    codes = NativeMemory.allocate(8L * words * BLOCK * numBlocks, arena);
    factors = NativeMemory.allocate(4L * BLOCK * numBlocks, arena);
    classIds = new int[Math.multiplyExact(numBlocks, BLOCK)];
    Arrays.fill(classIds, NONE);
    listOfBlock = new int[numBlocks];
    for (int list = 0; list < sizes.length; list++) {
      Arrays.fill(listOfBlock, firstBlocks[list], firstBlocks[list + 1], list);
    }
    Arrays.fill(sizes, 0);
    for (int c = 0; c < listOf.length; c++) {
      int list = listOf[c];
      int from = slotOf[c];
      int to = firstSlot(list) + sizes[list]++;
      if (from != NONE) {
        copy(oldCodes, oldFactors, from, to);
      }
      slotOf[c] = to;
      classIds[to] = c;
    }
    oldArena.close();
  }

  private void copy(MemorySegment fromCodes, MemorySegment fromFactors, int from, int to) {
    long read = CodeKernels.offset(from, words);
    long written = CodeKernels.offset(to, words);
    for (int word = 0; word < words; word++) {
      long apart = 8L * BLOCK * word;
      long bits = fromCodes.get(JAVA_LONG_UNALIGNED, read + apart);
      codes.set(JAVA_LONG_UNALIGNED, written + apart, bits);
    }
    factors.set(JAVA_FLOAT_UNALIGNED, 4L * to, fromFactors.get(JAVA_FLOAT_UNALIGNED, 4L * from));
  }

  int numLists() {
    return sizes.length;
  }

  int numClasses() {
    return slotOf.length;
  }

  /** How many classes a list holds. */
  int size(int list) {
    return sizes[list];
  }

  /** List of a class. */
  int list(int classId) {
    return listOfBlock[slotOf[classId] / BLOCK];
  }

  /** Class at a place in [0, size) of a list. */
  int classId(int list, int place) {
    return classIdAt(firstSlot(list) + place);
  }

  /** The slot of the first class of a list; the others follow. */
  int firstSlot(int list) {
    return firstBlocks[list] * BLOCK;
  }

  int classIdAt(int slot) {
    return classIds[slot];
  }

  int slot(int classId) {
    return slotOf[classId];
  }

  /** Address of the first block of codes of a list. */
  long codes(int list) {
    return codes.address() + CodeKernels.offset(firstSlot(list), words);
  }

  /** Address of the factors of a list, one float a slot. */
  long factors(int list) {
    return factors.address() + 4L * firstSlot(list);
  }

  /** Address of word 0 of a class's code; the next ones follow 8 longs apart. */
  long code(int classId) {
    return codes.address() + CodeKernels.offset(slotOf[classId], words);
  }

  /** The factor at a place of a list. */
  float factor(int list, int place) {
    return factors.get(JAVA_FLOAT_UNALIGNED, 4L * (firstSlot(list) + place));
  }

  void setFactor(int classId, float factor) {
    factors.set(JAVA_FLOAT_UNALIGNED, 4L * slotOf[classId], factor);
  }

  /** Moves a class to another list; its code there is whatever was there before. */
  void move(int classId, int toList) {
    if (sizes[toList] == slots(toList) && !widen(toList)) {
      int[] listOf = new int[numClasses()];
      Arrays.setAll(listOf, this::list);
      listOf[classId] = toList;
      layOut(listOf);
      return;
    }
    int gap = slotOf[classId];
    int fromList = list(classId);
    int last = firstSlot(fromList) + --sizes[fromList];
    carry(last, gap);
    classIds[last] = NONE;
    slotOf[classId] = firstSlot(toList) + sizes[toList]++;
    classIds[slotOf[classId]] = classId;
  }

  private int slots(int list) {
    return firstSlot(list + 1) - firstSlot(list);
  }

  private boolean hasFreeBlock(int list) {
    return slots(list) - sizes[list] >= BLOCK;
  }

  /** Gives a full list one more block; whether any list had one to give. */
  private boolean widen(int list) {
    int below = list - 1;
    int above = list + 1;
    while (below >= 0 || above < sizes.length) {
      if (above < sizes.length && hasFreeBlock(above)) {
        for (int giver = above; giver > list; giver--) {
          moveUp(giver);
        }
        return true;
      }
      if (below >= 0 && hasFreeBlock(below)) {
        for (int taker = below + 1; taker <= list; taker++) {
          moveDown(taker);
        }
        return true;
      }
      below--;
      above++;
    }
    return false;
  }

  /** Leaves the first block of a list to the list before it. Needs a free block at the end. */
  private void moveUp(int list) {
    int from = firstSlot(list);
    int to = from + Math.max(BLOCK, sizes[list]);
    for (int i = 0; i < Math.min(BLOCK, sizes[list]); i++) {
      carry(from + i, to + i);
      classIds[from + i] = NONE;
    }
    listOfBlock[firstBlocks[list]] = list - 1;
    firstBlocks[list]++;
  }

  /** Takes the last block of the list before it, which is free; what was last goes there. */
  private void moveDown(int list) {
    int count = Math.min(BLOCK, sizes[list]);
    int from = firstSlot(list) + sizes[list] - count;
    firstBlocks[list]--;
    listOfBlock[firstBlocks[list]] = list;
    for (int i = 0; i < count; i++) {
      carry(from + i, firstSlot(list) + i);
      classIds[from + i] = NONE;
    }
  }

  /** Takes a class with its code and its factor to another slot. */
  private void carry(int from, int to) {
    copy(codes, factors, from, to);
    classIds[to] = classIds[from];
    slotOf[classIds[to]] = to;
  }

  @Override
  public void close() {
    arena.close();
  }
}
