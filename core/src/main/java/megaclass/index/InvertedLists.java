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
 * moves takes a free slot of its new list, and the last one of its old list fills the gap. Only
 * when a list is full is everything laid out anew.
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
      int to = firstBlocks[list] * BLOCK + sizes[list]++;
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
    return classIds[firstBlocks[list] * BLOCK + place];
  }

  /** Address of the first block of codes of a list. */
  long codes(int list) {
    return codes.address() + CodeKernels.offset(firstBlocks[list] * BLOCK, words);
  }

  /** Address of the factors of a list, one float a slot. */
  long factors(int list) {
    return factors.address() + 4L * BLOCK * firstBlocks[list];
  }

  /** Address of word 0 of a class's code; the next ones follow 8 longs apart. */
  long code(int classId) {
    return codes.address() + CodeKernels.offset(slotOf[classId], words);
  }

  /** The factor at a place of a list. */
  float factor(int list, int place) {
    return factors.get(JAVA_FLOAT_UNALIGNED, 4L * (BLOCK * firstBlocks[list] + place));
  }

  void setFactor(int classId, float factor) {
    factors.set(JAVA_FLOAT_UNALIGNED, 4L * slotOf[classId], factor);
  }

  /** Moves a class to another list; its code there is whatever was there before. */
  void move(int classId, int toList) {
    int slots = (firstBlocks[toList + 1] - firstBlocks[toList]) * BLOCK;
    if (sizes[toList] == slots) {
      int[] listOf = new int[numClasses()];
      Arrays.setAll(listOf, this::list);
      listOf[classId] = toList;
      layOut(listOf);
      return;
    }
    int gap = slotOf[classId];
    int fromList = list(classId);
    int last = firstBlocks[fromList] * BLOCK + --sizes[fromList];
    copy(codes, factors, last, gap);
    slotOf[classIds[last]] = gap;
    classIds[gap] = classIds[last];
    classIds[last] = NONE;
    slotOf[classId] = firstBlocks[toList] * BLOCK + sizes[toList]++;
    classIds[slotOf[classId]] = classId;
  }

  @Override
  public void close() {
    arena.close();
  }
}
