// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.file.StandardOpenOption.READ;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The container of all Megaclass files: named sections of bytes behind a header, every byte of the
 * file under a checksum. {@code docs/formats.md} lists the bytes. Opening maps the file read-only
 * and verifies all of it; {@link Writer} writes one.
 *
 * <p>Immutable and thread-safe. The memory belongs to the arena given to {@link #open}: sections
 * must not be read after it is closed.
 */
public final class SectionFile {
  static final int ENTRY_BYTES = 64;
  static final int NAME_BYTES = 32;

  /** Every section starts at a multiple of this, so that its rows may be read with any vector. */
  static final int ALIGNMENT = 4096;

  private final Path path;
  private final MemorySegment bytes;
  private final SectionHeader header;
  private final Map<String, SectionInfo> sections = new LinkedHashMap<>();

  /**
   * One section.
   *
   * @param offset of its first byte in the file, a multiple of 4096
   * @param length in bytes, without the zeros that fill up to the next section
   * @param checksum see {@link Checksum}
   */
  public record SectionInfo(String name, long offset, long length, int checksum) {}

  private SectionFile(Path path, MemorySegment bytes, SectionHeader header) {
    this.path = path;
    this.bytes = bytes;
    this.header = header;
  }

  /**
   * Maps a file and verifies every byte of it, on all cores if the arena is shared.
   *
   * @param kind four letters: "DATA", "MODL" or "CKPT"
   * @param maxVersion the newest version of that kind the caller can read
   * @param arena owner of the mapping
   * @throws InvalidFileException if the file is missing, foreign, of another kind, newer, truncated
   *     or damaged
   */
  public static SectionFile open(Path path, String kind, int maxVersion, Arena arena) {
    try (var channel = FileChannel.open(path, READ)) {
      var header = SectionHeader.read(path, channel);
      header.require(kind, maxVersion);
      var bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, header.fileLength(), arena);
      var file = new SectionFile(path, bytes, header);
      file.readTable();
      file.verify();
      return file;
    } catch (InvalidFileException e) {
      throw e;
    } catch (IOException e) {
      throw new InvalidFileException(path, e);
    }
  }

  /** The kind of a Megaclass file, from its header alone. */
  public static String kindOf(Path path) {
    try (var channel = FileChannel.open(path, READ)) {
      return SectionHeader.read(path, channel).kind();
    } catch (InvalidFileException e) {
      throw e;
    } catch (IOException e) {
      throw new InvalidFileException(path, e);
    }
  }

  /** The file. */
  public Path path() {
    return path;
  }

  /** Version of the file's kind, from 1. */
  public int version() {
    return header.version();
  }

  /** Length of the file in bytes. */
  public long length() {
    return header.fileLength();
  }

  /** Whether the file has the section. */
  public boolean has(String name) {
    return sections.containsKey(name);
  }

  /** All sections in the order of the file. */
  public List<SectionInfo> sections() {
    return List.copyOf(sections.values());
  }

  /** The bytes of a section, read-only, starting at a multiple of 4096. */
  public MemorySegment section(String name) {
    var info = sections.get(name);
    if (info == null) {
      throw new InvalidFileException(
          path, "has no section \"" + name + "\"; it has " + sections.keySet());
    }
    return bytes.asSlice(info.offset(), info.length());
  }

  /**
   * The bytes of a section whose length is known.
   *
   * @throws InvalidFileException if it has another length
   */
  public MemorySegment section(String name, long length) {
    var section = section(name);
    if (section.byteSize() != length) {
      throw new InvalidFileException(
          path,
          "section \""
              + name
              + "\" has "
              + section.byteSize()
              + " bytes, expected "
              + length
              + "; write the file anew");
    }
    return section;
  }

  private void readTable() {
    var table = bytes.asSlice(header.tableOffset());
    if (Checksum.of(table) != header.tableChecksum()) {
      throw damaged("its table of sections");
    }
    long end = SectionHeader.BYTES;
    for (long at = 0; at < table.byteSize(); at += ENTRY_BYTES) {
      var name = new byte[NAME_BYTES];
      MemorySegment.copy(table, ValueLayout.JAVA_BYTE, at, name, 0, NAME_BYTES);
      var info =
          new SectionInfo(
              new String(name, US_ASCII).trim(),
              table.get(LittleEndian.LONG, at + 32),
              table.get(LittleEndian.LONG, at + 40),
              table.get(LittleEndian.INT, at + 48));
      sections.put(info.name(), info);
      requireZeros(end, info.offset());
      end = info.offset() + info.length();
    }
    requireZeros(end, header.tableOffset());
  }

  private void requireZeros(long from, long to) {
    for (long at = from; at < to; at++) {
      if (bytes.get(ValueLayout.JAVA_BYTE, at) != 0) {
        throw damaged("the padding between its sections");
      }
    }
  }

  private void verify() {
    for (var info : sections.values()) {
      if (Checksum.ofSection(bytes.asSlice(info.offset(), info.length())) != info.checksum()) {
        throw damaged("section \"" + info.name() + "\"");
      }
    }
  }

  private InvalidFileException damaged(String part) {
    return new InvalidFileException(
        path,
        "is damaged: the checksum of " + part + " does not match; get or write the file anew");
  }

  /**
   * Writes a file of sections. The file gets its name in {@link #finish}; closed before that, it
   * leaves nothing behind. Not thread-safe.
   */
  public static final class Writer implements AutoCloseable {
    private final String kind;
    private final int version;
    private final AtomicFiles.Part part;
    private final Set<String> names = new HashSet<>();
    private final List<SectionInfo> written = new ArrayList<>();
    private final List<SectionOutput> spilled = new ArrayList<>();
    private final Set<SectionOutput> open = new LinkedHashSet<>();
    private @Nullable SectionOutput direct;

    /** Starts a file; kind is "DATA", "MODL" or "CKPT". */
    public Writer(Path target, String kind, int version) {
      this.kind = kind;
      this.version = version;
      this.part = AtomicFiles.Part.open(target);
    }

    /**
     * Starts a section. It is written straight to the file; while it is open, further sections go
     * to temporary files beside it and are appended in {@link #finish}.
     *
     * @param name 1 to 32 ASCII letters
     */
    public SectionOutput section(String name) {
      if (name.isEmpty() || name.length() > NAME_BYTES || !US_ASCII.newEncoder().canEncode(name)) {
        throw new IllegalArgumentException(
            "section name must be 1 to 32 ASCII letters, but was \"" + name + "\"");
      }
      if (!names.add(name)) {
        throw new IllegalArgumentException("section \"" + name + "\" is written already");
      }
      try {
        var channel = direct == null ? part.channel().position(end()) : part.openSpill();
        var section = new SectionOutput(name, channel, part.target(), this::closed);
        direct = direct == null ? section : direct;
        open.add(section);
        return section;
      } catch (IOException e) {
        close();
        throw AtomicFiles.cannotWrite(part.target(), e);
      }
    }

    /** Writes a whole section. */
    public void section(String name, MemorySegment bytes) {
      try (var section = section(name)) {
        section.write(bytes);
      }
    }

    /** Writes table and header, forces all to the disk and gives the file its name. */
    public void finish() {
      if (!open.isEmpty()) {
        throw new IllegalStateException(
            "section \"" + open.iterator().next().name() + "\" is still open");
      }
      try {
        for (var section : spilled) {
          append(section);
        }
        var table = table();
        long tableOffset = written.isEmpty() ? SectionHeader.BYTES : end();
        var header =
            new SectionHeader(
                part.target(),
                kind,
                version,
                tableOffset + table.capacity(),
                written.size(),
                tableOffset,
                Checksum.of(MemorySegment.ofBuffer(table)));
        FileBytes.write(part.channel().position(tableOffset), table);
        FileBytes.write(part.channel().position(0), header.bytes());
        part.commit();
      } catch (IOException e) {
        throw AtomicFiles.cannotWrite(part.target(), e);
      }
    }

    /** Removes the file, unless it was finished. */
    @Override
    public void close() {
      part.close();
    }

    private void closed(SectionOutput section) {
      open.remove(section);
      if (section == direct) {
        direct = null;
        written.add(info(section));
      } else {
        spilled.add(section);
      }
    }

    private void append(SectionOutput section) throws IOException {
      var from = section.channel();
      var to = part.channel().position(end());
      for (long at = 0; at < section.length(); ) {
        at += from.transferTo(at, section.length() - at, to);
      }
      written.add(info(section));
    }

    private SectionInfo info(SectionOutput section) {
      return new SectionInfo(section.name(), end(), section.length(), section.checksum());
    }

    private ByteBuffer table() {
      var table = ByteBuffer.allocate(written.size() * ENTRY_BYTES).order(LITTLE_ENDIAN);
      int at = 0;
      for (var section : written) {
        table.put(at, section.name().getBytes(US_ASCII));
        table.putLong(at + 32, section.offset());
        table.putLong(at + 40, section.length());
        table.putInt(at + 48, section.checksum());
        at += ENTRY_BYTES;
      }
      return table;
    }

    /** Where the next section or the table starts. */
    private long end() {
      if (written.isEmpty()) {
        return ALIGNMENT;
      }
      var last = written.getLast();
      return (last.offset() + last.length() + ALIGNMENT - 1) & -ALIGNMENT;
    }
  }
}
