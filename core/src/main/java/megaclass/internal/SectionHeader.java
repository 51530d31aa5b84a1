// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** The first 64 bytes of a {@link SectionFile}. */
record SectionHeader(
    Path path,
    String kind,
    int version,
    long fileLength,
    int numSections,
    long tableOffset,
    int tableChecksum) {
  static final int BYTES = 64;
  private static final byte[] MAGIC = "MEGACLAS".getBytes(US_ASCII);
  private static final int CHECKSUM_AT = 60;

  /** Reads a header and holds it against the length of its file. */
  static SectionHeader read(Path path, FileChannel channel) throws IOException {
    var buffer = ByteBuffer.wrap(FileBytes.read(channel, 0, BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    int length = buffer.capacity();
    if (length == 0) {
      throw new InvalidFileException(path, "is empty, expected a Megaclass file");
    }
    for (int i = 0; i < MAGIC.length; i++) {
      if (i >= length || buffer.get(i) != MAGIC[i]) {
        throw new InvalidFileException(
            path, "is not a Megaclass file: it does not start with \"MEGACLAS\"");
      }
    }
    if (length < BYTES) {
      throw truncated(path, length, "at least " + BYTES);
    }
    if (checksum(buffer) != buffer.getInt(CHECKSUM_AT)) {
      throw new InvalidFileException(
          path,
          "is damaged: the checksum of its header does not match; get or write the file anew");
    }
    var kind = new byte[4];
    buffer.get(8, kind);
    var header =
        new SectionHeader(
            path,
            new String(kind, US_ASCII),
            buffer.getInt(12),
            buffer.getLong(16),
            buffer.getInt(24),
            buffer.getLong(32),
            buffer.getInt(40));
    header.requireLength(channel.size());
    return header;
  }

  /** Refuses a file of another kind or of a newer version. */
  void require(String expectedKind, int maxVersion) {
    if (!kind.equals(expectedKind)) {
      throw new InvalidFileException(
          path, "is " + words(kind) + ", expected " + words(expectedKind));
    }
    if (version > maxVersion) {
      throw new InvalidFileException(
          path,
          "is "
              + words(kind)
              + " of version "
              + version
              + ", but this program reads versions up to "
              + maxVersion
              + "; use a newer program");
    }
  }

  /** The bytes of the header, checksum included. */
  ByteBuffer bytes() {
    var buffer = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    buffer.put(MAGIC).put(kind.getBytes(US_ASCII)).putInt(version).putLong(fileLength);
    buffer.putInt(numSections).putInt(0).putLong(tableOffset).putInt(tableChecksum);
    return buffer.putInt(CHECKSUM_AT, checksum(buffer)).rewind();
  }

  private void requireLength(long actual) {
    if (actual < fileLength) {
      throw truncated(path, actual, String.valueOf(fileLength));
    }
    if (actual > fileLength) {
      throw new InvalidFileException(
          path,
          "has " + actual + " bytes, expected " + fileLength + "; get or write the file anew");
    }
  }

  private static InvalidFileException truncated(Path path, long length, String expected) {
    return new InvalidFileException(
        path,
        "is truncated: "
            + length
            + " bytes, expected "
            + expected
            + "; get or write the file anew");
  }

  private static int checksum(ByteBuffer header) {
    return Checksum.of(MemorySegment.ofBuffer(header.duplicate().clear()).asSlice(0, CHECKSUM_AT));
  }

  private static String words(String kind) {
    return switch (kind) {
      case "DATA" -> "a data file";
      case "MODL" -> "a model file";
      case "CKPT" -> "a checkpoint shard";
      default -> "a file of kind \"" + kind + "\"";
    };
  }
}
