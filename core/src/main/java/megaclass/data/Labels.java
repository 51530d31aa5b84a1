// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import megaclass.internal.GrowingMemory;
import megaclass.internal.Hash;
import megaclass.internal.InvalidFileException;
import megaclass.internal.LittleEndian;
import megaclass.internal.SectionFile;

/**
 * The strings of the classes: class id to label and back. Ids run from 0 without gaps, labels are
 * distinct and not empty.
 *
 * <p>Immutable and thread-safe. The bytes lie off-heap, or in a mapped file, together with a hash
 * table of ids, so that neither opening nor a look-up depends on the number of classes. The memory
 * belongs to the data set or model that the labels come from and ends with it.
 */
public final class Labels {
  private static final String BYTES_SECTION = "labels.bytes";
  private static final String OFFSETS_SECTION = "labels.offsets";
  private static final String INDEX_SECTION = "labels.index";

  /** Marks a free slot of the hash table. */
  private static final int FREE = -1;

  private final int size;
  private final MemorySegment bytes;
  private final MemorySegment offsets;
  private final MemorySegment index;

  private Labels(int size, MemorySegment bytes, MemorySegment offsets, MemorySegment index) {
    this.size = size;
    this.bytes = bytes;
    this.offsets = offsets;
    this.index = index;
  }

  /**
   * Labels in memory; class id = position.
   *
   * @throws IllegalArgumentException if a label is empty or repeated
   */
  public static Labels of(List<String> labels) {
    try (var builder = new Builder()) {
      for (var label : labels) {
        int expected = builder.size();
        if (builder.add(label) != expected) {
          throw new IllegalArgumentException("label \"" + label + "\" is repeated");
        }
      }
      return builder.build(Arena.ofAuto());
    }
  }

  /** Labels of a file written with {@link #writeTo}; valid as long as the file is mapped. */
  @SuppressWarnings("exports") // for the other packages of this module
  public static Labels read(SectionFile file) {
    var offsets = file.section(OFFSETS_SECTION);
    long size = offsets.byteSize() / Long.BYTES - 1;
    if (size < 0 || size > Integer.MAX_VALUE) {
      throw new InvalidFileException(
          file.path(), "has " + size + " labels, expected 0 to " + Integer.MAX_VALUE);
    }
    var bytes = file.section(BYTES_SECTION, offsets.get(LittleEndian.LONG, size * Long.BYTES));
    var index = file.section(INDEX_SECTION, capacityFor((int) size) * Integer.BYTES);
    return new Labels((int) size, bytes, offsets, index);
  }

  /** Writes the labels as three sections of a file. */
  @SuppressWarnings("exports") // for the other packages of this module
  public void writeTo(SectionFile.Writer file) {
    file.section(BYTES_SECTION, bytes);
    file.section(OFFSETS_SECTION, offsets);
    file.section(INDEX_SECTION, index);
  }

  /** How many classes there are. */
  public int size() {
    return size;
  }

  /** The label of a class. */
  public String label(int classId) {
    return new String(utf8(classId).toArray(ValueLayout.JAVA_BYTE), UTF_8);
  }

  /** The UTF-8 bytes of a label, read-only. */
  public MemorySegment utf8(int classId) {
    Objects.checkIndex(classId, size);
    long from = offsets.get(LittleEndian.LONG, (long) classId * Long.BYTES);
    long to = offsets.get(LittleEndian.LONG, (classId + 1L) * Long.BYTES);
    return bytes.asSlice(from, to - from).asReadOnly();
  }

  /** The class of a label, or -1 if there is none. */
  public int classId(String label) {
    var utf8 = label.getBytes(UTF_8);
    return index.get(LittleEndian.INT, slot(utf8, bytes, offsets, index) * Integer.BYTES);
  }

  /** The same labels in other memory, which may live longer. */
  public Labels copy(Arena arena) {
    return new Labels(size, copy(bytes, arena), copy(offsets, arena), copy(index, arena));
  }

  private static MemorySegment copy(MemorySegment from, Arena arena) {
    return arena.allocate(from.byteSize(), 64).copyFrom(from);
  }

  /** Bytes of the labels, their offsets, and the hash table made of these. */
  List<MemorySegment> sections() {
    return List.of(bytes, offsets, index);
  }

  @Override
  public String toString() {
    return size + " labels";
  }

  /** Slots of the hash table: a power of two, at most three quarters of it used. */
  private static long capacityFor(int size) {
    long atLeast = Math.max(2, (size * 4L + 2) / 3);
    return Long.highestOneBit(atLeast - 1) << 1;
  }

  /** The slot that holds the label's id, or the free one where it would go. */
  private static long slot(
      byte[] utf8, MemorySegment bytes, MemorySegment offsets, MemorySegment index) {
    var wanted = MemorySegment.ofArray(utf8);
    long mask = index.byteSize() / Integer.BYTES - 1;
    long slot = Hash.of(wanted, 0, utf8.length) & mask;
    while (true) {
      int id = index.get(LittleEndian.INT, slot * Integer.BYTES);
      if (id == FREE) {
        return slot;
      }
      long from = offsets.get(LittleEndian.LONG, (long) id * Long.BYTES);
      long to = offsets.get(LittleEndian.LONG, (id + 1L) * Long.BYTES);
      if (to - from == utf8.length
          && MemorySegment.mismatch(wanted, 0, utf8.length, bytes, from, to) < 0) {
        return slot;
      }
      slot = (slot + 1) & mask;
    }
  }

  /**
   * Gives ids to labels in the order in which they are first seen; several writers may share one,
   * so that their files have the same ids. Takes some 20 bytes a class beside the label itself.
   * Owns its memory until closed; not thread-safe.
   */
  public static final class Builder implements AutoCloseable {
    private final GrowingMemory bytes = new GrowingMemory();
    private final GrowingMemory offsets = new GrowingMemory();
    private Arena indexArena = Arena.ofShared();
    private MemorySegment index = newIndex(0);
    private int size;

    /** A dictionary without labels. */
    public Builder() {
      offsets.appendLong(0);
    }

    /** A dictionary that starts with the labels of another one, with the same ids. */
    public Builder(Labels start) {
      this();
      for (int classId = 0; classId < start.size(); classId++) {
        add(start.utf8(classId).toArray(ValueLayout.JAVA_BYTE));
      }
    }

    /** How many classes there are so far. */
    public int size() {
      return size;
    }

    /** The id of a label; a new one if it was not seen before. */
    public int add(String label) {
      return add(label.getBytes(UTF_8));
    }

    /**
     * The id of a label; a new one if it was not seen before.
     *
     * @param utf8 the label, valid UTF-8
     */
    public int add(byte[] utf8) {
      if (utf8.length == 0) {
        throw new IllegalArgumentException("a label must not be empty");
      }
      long slot = slot(utf8, bytes.bytes(), offsets.bytes(), index);
      int known = index.get(LittleEndian.INT, slot * Integer.BYTES);
      if (known != FREE) {
        return known;
      }
      if (size == Integer.MAX_VALUE) {
        throw new IllegalArgumentException("more than " + size + " classes");
      }
      bytes.append(utf8);
      offsets.appendLong(bytes.size());
      index.set(LittleEndian.INT, slot * Integer.BYTES, size);
      size++;
      if (capacityFor(size) * Integer.BYTES > index.byteSize()) {
        rehash();
      }
      return size - 1;
    }

    /** The labels so far, copied into an arena. */
    public Labels build(Arena arena) {
      return new Labels(size, bytes.copy(arena), offsets.copy(arena), Labels.copy(index, arena));
    }

    /** Writes the labels so far as sections of a file. */
    void writeTo(SectionFile.Writer file) {
      new Labels(size, bytes.bytes(), offsets.bytes(), index).writeTo(file);
    }

    @Override
    public void close() {
      bytes.close();
      offsets.close();
      indexArena.close();
    }

    /** The larger table depends on nothing but the labels in the order of their ids. */
    private void rehash() {
      indexArena.close();
      indexArena = Arena.ofShared();
      index = newIndex(size);
      long mask = index.byteSize() / Integer.BYTES - 1;
      for (int id = 0; id < size; id++) {
        long from = offsets.getLong((long) id * Long.BYTES);
        long to = offsets.getLong((id + 1L) * Long.BYTES);
        long slot = Hash.of(bytes.bytes(), from, to - from) & mask;
        while (index.get(LittleEndian.INT, slot * Integer.BYTES) != FREE) {
          slot = (slot + 1) & mask;
        }
        index.set(LittleEndian.INT, slot * Integer.BYTES, id);
      }
    }

    private MemorySegment newIndex(int numLabels) {
      return indexArena.allocate(capacityFor(numLabels) * Integer.BYTES, 64).fill((byte) 0xFF);
    }
  }
}
