// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import megaclass.internal.Folders;
import megaclass.internal.IoErrors;

/**
 * Rows in a file, read and written through a mapping of it, but many rows at once by position; the
 * system keeps both coherent.
 *
 * <p>Rows that held something at the last checkpoint are saved in an {@link UndoLog} beside the
 * file before they are overwritten. Threads may read and, after {@link #save}, write different rows
 * at the same time.
 */
final class RowFile implements AutoCloseable {
  private final Path path;
  private final long numRows;
  private final int rowBytes;
  private final Arena arena = Arena.ofShared();
  private final FileChannel channel;
  private final MemorySegment map;
  private final UndoLog log;

  /** Rows that the log holds, a bit each; empty before the first checkpoint. */
  private long[] saved = {};

  /**
   * Opens a file, or makes it; what it holds then is anything.
   *
   * @throws UncheckedIOException when there is no room for it, or it cannot be written
   */
  RowFile(Path path, long numRows, int rowBytes) {
    this.path = path;
    this.numRows = numRows;
    this.rowBytes = rowBytes;
    long size = numRows * rowBytes;
    try {
      Files.createDirectories(Folders.of(path));
      requireSpace(size);
      channel =
          FileChannel.open(
              path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      if (channel.size() != size) {
        channel.truncate(size);
        channel.write(ByteBuffer.allocate(1), size - 1);
      }
      map = channel.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
      log = new UndoLog(logPath(), rowBytes);
    } catch (IOException e) {
      throw failure(e);
    }
  }

  private void requireSpace(long size) throws IOException {
    long there = Files.exists(path) ? Files.size(path) : 0;
    long free = Files.getFileStore(Folders.of(path)).getUsableSpace();
    if (size - there > free) {
      throw new IOException(
          "its rows take %,d MiB, but the disk has %,d MiB left; free some, or write to another disk"
              .formatted(size >> 20, free >> 20));
    }
  }

  private Path logPath() {
    return path.resolveSibling(path.getFileName() + ".undo");
  }

  private UncheckedIOException failure(IOException e) {
    return new UncheckedIOException(
        "cannot use the rows in %s: %s".formatted(path, IoErrors.sentence(e)), e);
  }

  /** Where a row can be read, and only read. */
  long address(long row) {
    return map.address() + row * rowBytes;
  }

  /** Rows {@code [from, to)}, to be read. */
  MemorySegment rows(long from, long to) {
    return map.asSlice(from * rowBytes, (to - from) * rowBytes);
  }

  /** Asks the system to have a row in memory soon. */
  void willNeed(long row) {
    NativeMemory.willNeed(address(row), rowBytes);
  }

  /** Whether a row must be saved before it is overwritten. */
  private boolean mustSave(long row) {
    return saved.length > 0 && (saved[(int) (row >>> 6)] >>> row & 1) == 0;
  }

  /** Saves what rows held at the last checkpoint, if that was not done yet: before writing them. */
  void save(int[] rows, int count) {
    try {
      long before = log.numImages();
      for (int i = 0; i < count; i++) {
        if (mustSave(rows[i])) {
          saved[rows[i] >>> 6] |= 1L << rows[i];
          log.add(rows[i], rows(rows[i], rows[i] + 1L));
        }
      }
      if (log.numImages() > before) {
        log.force();
      }
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /**
   * Writes a row, through the mapping: a call to the system takes ten times as long, and one file
   * takes only one at a time.
   */
  void write(long row, MemorySegment bytes) {
    MemorySegment.copy(bytes, 0, map, row * rowBytes, rowBytes);
  }

  /** Writes many rows that follow each other, from {@code row} on. */
  void writeMany(long row, MemorySegment bytes) {
    try {
      var buffer = bytes.asByteBuffer();
      long at = row * rowBytes;
      while (buffer.hasRemaining()) {
        at += channel.write(buffer, at);
      }
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /** Brings all rows to the disk: before a checkpoint is committed. */
  void force() {
    try {
      channel.force(false);
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /** From here on rows go back to what they hold now, a checkpoint after so many steps. */
  void checkpoint(long stepsDone) {
    try {
      log.begin(stepsDone);
      saved = new long[(int) ((numRows + 63) >>> 6)];
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /**
   * Makes all rows those of a checkpoint again.
   *
   * @throws megaclass.internal.InvalidFileException when the log beside the file does not allow it
   */
  void rollBack(long stepsDone) {
    UndoLog.rollBack(logPath(), rowBytes, stepsDone, (image, row) -> write(row, image));
    force();
    checkpoint(stepsDone);
  }

  @Override
  public void close() {
    arena.close();
    try {
      log.close();
      channel.close();
    } catch (IOException e) {
      throw failure(e);
    }
  }
}
