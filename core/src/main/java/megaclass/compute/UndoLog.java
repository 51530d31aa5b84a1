// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.function.ObjLongConsumer;
import megaclass.internal.Folders;
import megaclass.internal.Hash;
import megaclass.internal.InvalidFileException;
import megaclass.internal.LittleEndian;
import org.jspecify.annotations.Nullable;

/**
 * What rows of a file held at a checkpoint, saved before they are first overwritten after it: with
 * it a file that a killed run left anyhow becomes that of the checkpoint again.
 *
 * <p>A file: the step of the checkpoint and the bytes of a row, then (row, its bytes, checksum)
 * again and again. An entry that was not written to its end is that of a row that was not
 * overwritten yet, and counts for nothing. Not thread-safe.
 */
final class UndoLog implements AutoCloseable {
  private static final long MAGIC = 0x314F444E554C434DL; // "MCLUNDO1" in the order of the file
  private static final int HEADER_BYTES = 32;
  private static final int BUFFER_BYTES = 1 << 20;

  private final Path path;
  private final int rowBytes;
  private final ByteBuffer buffer;
  private final MemorySegment pending;
  private @Nullable FileChannel channel;
  private long step;
  private long numImages;

  /** The log of a file of such rows; it begins with {@link #begin}. */
  UndoLog(Path path, int rowBytes) {
    this.path = path;
    this.rowBytes = rowBytes;
    buffer = ByteBuffer.allocateDirect(Math.max(BUFFER_BYTES, 2 * entryBytes()));
    pending = MemorySegment.ofBuffer(buffer);
  }

  private int entryBytes() {
    return 8 + rowBytes + 8;
  }

  /**
   * From here on images are of the checkpoint after so many steps. The new log takes the place of
   * the old one when it is on the disk, so that there is a whole one at every instant.
   */
  void begin(long stepsDone) throws IOException {
    step = stepsDone;
    numImages = 0;
    buffer.clear();
    var header = MemorySegment.ofArray(new byte[HEADER_BYTES]);
    header.set(LittleEndian.LONG, 0, MAGIC);
    header.set(LittleEndian.LONG, 8, stepsDone);
    header.set(LittleEndian.LONG, 16, rowBytes);
    header.set(LittleEndian.LONG, 24, Hash.of(header, 0, 24));
    close();
    Path part = path.resolveSibling(path.getFileName() + ".part");
    channel =
        FileChannel.open(
            part,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING);
    channel.write(header.asByteBuffer());
    channel.force(true);
    Files.move(part, path, StandardCopyOption.ATOMIC_MOVE);
    Folders.force(Folders.of(path));
  }

  /** How many rows have been saved since {@link #begin}. */
  long numImages() {
    return numImages;
  }

  /** Saves what a row holds; it may be overwritten after {@link #force}. */
  void add(long row, MemorySegment image) throws IOException {
    if (buffer.remaining() < entryBytes()) {
      flush();
    }
    int at = buffer.position();
    pending.set(LittleEndian.LONG, at, row);
    MemorySegment.copy(image, 0, pending, at + 8L, rowBytes);
    long checksum = Hash.key(step, Hash.of(pending, at, 8L + rowBytes));
    pending.set(LittleEndian.LONG, at + 8L + rowBytes, checksum);
    buffer.position(at + entryBytes());
    numImages++;
  }

  private FileChannel flush() throws IOException {
    FileChannel to = Objects.requireNonNull(channel, "the log has not begun");
    buffer.flip();
    while (buffer.hasRemaining()) {
      to.write(buffer);
    }
    buffer.clear();
    return to;
  }

  /** Brings all images to the disk. */
  void force() throws IOException {
    flush().force(false);
  }

  /**
   * Gives back what rows held at a checkpoint, if the log is of that checkpoint. A log of an older
   * one was left by a run that was killed between committing a checkpoint and beginning the next
   * log, when no row had been overwritten yet.
   *
   * @param stepsDone by the checkpoint
   * @param restore receives the images with their rows
   * @throws InvalidFileException when the log is missing, damaged, or of a later checkpoint
   */
  static void rollBack(
      Path path, int rowBytes, long stepsDone, ObjLongConsumer<MemorySegment> restore) {
    byte[] bytes = new byte[8 + rowBytes + 8];
    var entry = MemorySegment.ofArray(bytes);
    try (var in = new BufferedInputStream(Files.newInputStream(path), BUFFER_BYTES)) {
      long begun = readHeader(path, in.readNBytes(HEADER_BYTES), rowBytes);
      if (begun > stepsDone) {
        throw new InvalidFileException(
            path,
            "belongs to the checkpoint after step %d, which is not there; the rows of step %d are lost; start a new run"
                .formatted(begun, stepsDone));
      }
      if (begun < stepsDone) {
        return;
      }
      while (in.readNBytes(bytes, 0, bytes.length) == bytes.length) {
        long checksum = Hash.key(begun, Hash.of(entry, 0, 8L + rowBytes));
        if (entry.get(LittleEndian.LONG, 8L + rowBytes) != checksum) {
          return;
        }
        restore.accept(entry.asSlice(8, rowBytes), entry.get(LittleEndian.LONG, 0));
      }
    } catch (IOException e) {
      throw new InvalidFileException(path, e);
    }
  }

  private static long readHeader(Path path, byte[] bytes, int rowBytes) {
    var header = MemorySegment.ofArray(bytes);
    boolean whole =
        bytes.length == HEADER_BYTES
            && header.get(LittleEndian.LONG, 0) == MAGIC
            && header.get(LittleEndian.LONG, 16) == rowBytes
            && header.get(LittleEndian.LONG, 24) == Hash.of(header, 0, 24);
    if (!whole) {
      throw new InvalidFileException(
          path, "is not the log of rows of %d bytes; start a new run".formatted(rowBytes));
    }
    return header.get(LittleEndian.LONG, 8);
  }

  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
    }
  }
}
