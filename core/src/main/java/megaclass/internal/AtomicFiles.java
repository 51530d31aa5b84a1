// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.DELETE_ON_CLOSE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Files that are there whole or not at all. Bytes go to {@code NAME.PID.part} beside the target;
 * that file is forced to the disk and renamed, so that whoever sees the final name sees all of its
 * bytes, also after a power cut. A failure removes the part file; only a killed process leaves one,
 * which {@link #deleteLeftovers} removes.
 *
 * <p>Thread-safe; two threads cannot write one target at once.
 */
public final class AtomicFiles {
  private static final Set<Path> IN_PROGRESS = ConcurrentHashMap.newKeySet();

  private AtomicFiles() {}

  /** What writes the bytes of a file. */
  @FunctionalInterface
  public interface Body {
    /** Writes the file; the channel is open for reading and writing and stands at 0. */
    void writeTo(FileChannel channel) throws IOException;
  }

  /**
   * Writes a file, replacing the one of that name if there is one.
   *
   * @throws UncheckedIOException when it cannot be written; the old file is then still there
   */
  public static void write(Path target, Body body) {
    var part = Part.open(target);
    try (part) {
      body.writeTo(part.channel());
      part.commit();
    } catch (IOException e) {
      throw cannotWrite(target, e);
    }
  }

  /** Writes a text file in UTF-8. */
  public static void writeString(Path target, String text) {
    write(target, channel -> FileBytes.write(channel, ByteBuffer.wrap(text.getBytes(UTF_8))));
  }

  /** Removes what killed processes left of attempts to write this target. */
  public static void deleteLeftovers(Path target) {
    var prefix = target.getFileName() + ".";
    try (var siblings = Files.list(Folders.of(target))) {
      for (var path : (Iterable<Path>) siblings::iterator) {
        var name = path.getFileName().toString();
        if (name.startsWith(prefix)
            && name.substring(prefix.length()).matches("\\d+\\.part")
            && !IN_PROGRESS.contains(path)) {
          Files.deleteIfExists(path);
        }
      }
    } catch (IOException e) {
      throw cannotWrite(target, e);
    }
  }

  /** The sentence for a file that could not be written. */
  static UncheckedIOException cannotWrite(Path target, IOException e) {
    var sentence = "cannot write " + target + ": " + IoErrors.sentence(e);
    return new UncheckedIOException(sentence, e);
  }

  /** A file on its way: commit gives it its name, close without commit removes it. */
  static final class Part implements AutoCloseable {
    private final Path target;
    private final Path path;
    private final FileChannel channel;

    private final List<FileChannel> spills = new ArrayList<>();

    private Part(Path target, Path path, FileChannel channel) {
      this.target = target;
      this.path = path;
      this.channel = channel;
    }

    static Part open(Path target) {
      var folder = Folders.of(target);
      var path =
          folder.resolve(target.getFileName() + "." + ProcessHandle.current().pid() + ".part");
      if (!IN_PROGRESS.add(path)) {
        throw new IllegalStateException(target + " is being written already");
      }
      try {
        Files.createDirectories(folder);
        if (Files.isDirectory(target)) {
          throw new IOException("is a folder; name a file in it");
        }
        path.toFile().deleteOnExit(); // an interrupted run leaves nothing
        return new Part(
            target, path, FileChannel.open(path, CREATE, READ, WRITE, TRUNCATE_EXISTING));
      } catch (IOException e) {
        IN_PROGRESS.remove(path);
        throw cannotWrite(target, e);
      }
    }

    Path target() {
      return target;
    }

    FileChannel channel() {
      return channel;
    }

    /**
     * A temporary file that lives until this object is closed. It loses its name at once, where the
     * system allows that, so that nothing of it can be left behind.
     */
    FileChannel openSpill() throws IOException {
      var spill = Files.createTempFile(Folders.of(target), ".megaclass-", ".spill");
      var spillChannel = FileChannel.open(spill, READ, WRITE, DELETE_ON_CLOSE);
      spills.add(spillChannel);
      return spillChannel;
    }

    /** Forces the bytes to the disk, gives the file its final name and forces the folder. */
    void commit() throws IOException {
      channel.force(true);
      channel.close();
      try {
        Files.move(path, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException e) {
        throw new IOException("the file system cannot rename atomically; write to another one", e);
      }
      Folders.force(Folders.of(target));
    }

    @Override
    public void close() {
      try {
        for (var spill : spills) {
          spill.close();
        }
        channel.close();
        Files.deleteIfExists(path);
      } catch (IOException e) {
        throw cannotWrite(target, e);
      } finally {
        IN_PROGRESS.remove(path);
      }
    }
  }
}
