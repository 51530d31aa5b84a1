// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/**
 * Where the bytes of one section of a {@link SectionFile.Writer} go: buffered and under a checksum.
 * Numbers are little-endian. No method throws a checked exception: a full disk ends the whole file,
 * with an {@link java.io.UncheckedIOException}. Not thread-safe.
 */
public final class SectionOutput extends OutputStream {
  private static final int BUFFER_BYTES = 1 << 20;
  private static final long LARGEST_VIEW = 1L << 30;

  private final String name;
  private final FileChannel channel;
  private final Path target;
  private final Consumer<SectionOutput> onClose;
  private final ByteBuffer buffer =
      ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);

  private final CRC32C crc = new CRC32C();
  private long pieceLeft = Checksum.PIECE_BYTES;
  private int[] pieces = new int[16];
  private int numPieces;
  private long flushed;
  private boolean closed;

  /** Writes from the channel's position on; {@code target} is for error texts. */
  SectionOutput(String name, FileChannel channel, Path target, Consumer<SectionOutput> onClose) {
    this.name = name;
    this.channel = channel;
    this.target = target;
    this.onClose = onClose;
  }

  String name() {
    return name;
  }

  /** Bytes written so far. */
  public long length() {
    return flushed + buffer.position();
  }

  @Override
  public void write(int b) {
    room(1).put((byte) b);
  }

  @Override
  public void write(byte[] bytes) {
    write(bytes, 0, bytes.length);
  }

  @Override
  public void write(byte[] bytes, int from, int length) {
    if (length <= BUFFER_BYTES) {
      room(length).put(bytes, from, length);
    } else {
      write(MemorySegment.ofArray(bytes).asSlice(from, length));
    }
  }

  /** Writes all bytes of a segment of any length. */
  public void write(MemorySegment bytes) {
    flush();
    for (long at = 0; at < bytes.byteSize(); at += LARGEST_VIEW) {
      drain(bytes.asSlice(at, Math.min(LARGEST_VIEW, bytes.byteSize() - at)).asByteBuffer());
    }
  }

  /** Writes four bytes. */
  public void putInt(int value) {
    room(Integer.BYTES).putInt(value);
  }

  /** Writes eight bytes. */
  public void putLong(long value) {
    room(Long.BYTES).putLong(value);
  }

  /** Writes four bytes. */
  public void putFloat(float value) {
    room(Float.BYTES).putFloat(value);
  }

  /** Writes the four bytes of each float. */
  public void putFloats(float[] values) {
    if (4L * values.length > BUFFER_BYTES) {
      for (float value : values) {
        putFloat(value);
      }
      return;
    }
    room(4 * values.length).asFloatBuffer().put(values);
    buffer.position(buffer.position() + 4 * values.length);
  }

  @Override
  public void flush() {
    drain(buffer.flip());
    buffer.clear();
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    flush();
    if (pieceLeft < Checksum.PIECE_BYTES) {
      endPiece();
    }
    onClose.accept(this);
  }

  /** The checksum of all bytes, once closed. */
  int checksum() {
    return Checksum.ofPieces(pieces, numPieces);
  }

  FileChannel channel() {
    return channel;
  }

  private ByteBuffer room(int bytes) {
    if (buffer.remaining() < bytes) {
      flush();
    }
    return buffer;
  }

  private void drain(ByteBuffer bytes) {
    int end = bytes.limit();
    int start = bytes.position();
    flushed += end - start;
    while (bytes.position() < end) {
      bytes.limit((int) Math.min(end, bytes.position() + pieceLeft));
      pieceLeft -= bytes.remaining();
      crc.update(bytes);
      if (pieceLeft == 0) {
        endPiece();
      }
    }
    try {
      FileBytes.write(channel, bytes.limit(end).position(start));
    } catch (IOException e) {
      throw AtomicFiles.cannotWrite(target, e);
    }
  }

  private void endPiece() {
    if (numPieces == pieces.length) {
      pieces = Arrays.copyOf(pieces, 2 * numPieces);
    }
    pieces[numPieces++] = (int) crc.getValue();
    crc.reset();
    pieceLeft = Checksum.PIECE_BYTES;
  }
}
