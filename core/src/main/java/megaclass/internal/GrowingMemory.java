// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Off-heap bytes that grow at the end, of any length. Numbers are little-endian. The object owns
 * its memory until closed; not thread-safe.
 */
public final class GrowingMemory implements AutoCloseable {
  private static final long FIRST_BYTES = 1 << 12;
  private static final long ALIGNMENT = 64;

  private Arena arena = Arena.ofShared();
  private MemorySegment bytes = arena.allocate(FIRST_BYTES, ALIGNMENT);
  private long size;

  /** How many bytes were appended. */
  public long size() {
    return size;
  }

  /** All bytes appended so far; valid until more are appended. */
  public MemorySegment bytes() {
    return bytes.asSlice(0, size);
  }

  /** A copy in another arena, starting at a multiple of 64. */
  public MemorySegment copy(Arena into) {
    return into.allocate(size, ALIGNMENT).copyFrom(bytes());
  }

  /** Appends an array. */
  public void append(byte[] source) {
    reserve(source.length);
    MemorySegment.copy(source, 0, bytes, ValueLayout.JAVA_BYTE, size, source.length);
    size += source.length;
  }

  /** Appends the four bytes of each float. */
  public void append(float[] source) {
    reserve(4L * source.length);
    MemorySegment.copy(source, 0, bytes, LittleEndian.FLOAT, size, source.length);
    size += 4L * source.length;
  }

  /** Appends four bytes. */
  public void appendInt(int value) {
    reserve(Integer.BYTES);
    bytes.set(LittleEndian.INT, size, value);
    size += Integer.BYTES;
  }

  /** Appends eight bytes. */
  public void appendLong(long value) {
    reserve(Long.BYTES);
    bytes.set(LittleEndian.LONG, size, value);
    size += Long.BYTES;
  }

  /** The eight bytes at an offset. */
  public long getLong(long offset) {
    return bytes.get(LittleEndian.LONG, offset);
  }

  /** Replaces eight bytes. */
  public void setLong(long offset, long value) {
    bytes.set(LittleEndian.LONG, offset, value);
  }

  @Override
  public void close() {
    arena.close();
  }

  private void reserve(long more) {
    if (size + more <= bytes.byteSize()) {
      return;
    }
    var largerArena = Arena.ofShared();
    var larger = largerArena.allocate(Math.max(size + more, 2 * bytes.byteSize()), ALIGNMENT);
    MemorySegment.copy(bytes, 0, larger, 0, size);
    arena.close();
    arena = largerArena;
    bytes = larger;
  }
}
