// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import megaclass.internal.FileBytes;
import megaclass.internal.InvalidFileException;

/**
 * What the start of a {@code .npy} file says, versions 1 to 3.
 *
 * @param type the NumPy type without its byte order, as "f4"
 * @param shape length along each axis
 * @param dataOffset where the data starts, in bytes
 */
record NpyHeader(Path file, ByteOrder order, String type, List<Long> shape, long dataOffset) {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final Pattern TYPE = Pattern.compile("'descr'\\s*:\\s*'([<>|=])([a-zA-Z]\\d*)'");
  private static final Pattern ORDER = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
  private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([\\d,\\sL]*)\\)");

  /** Whether a file starts as {@code .npy} files do. */
  static boolean isNpy(Path file) {
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return Arrays.equals(FileBytes.read(channel, 0, MAGIC.length), MAGIC);
    } catch (IOException e) {
      throw new InvalidFileException(file, e);
    }
  }

  /** Reads a header and holds the length of the file against it. */
  static NpyHeader read(Path file) {
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      var start = FileBytes.read(channel, 0, 12);
      if (!Arrays.equals(Arrays.copyOf(start, MAGIC.length), MAGIC)) {
        throw new InvalidFileException(
            file, "is not a .npy file: it does not start with \\x93NUMPY");
      }
      if (start.length < 12) {
        throw new InvalidFileException(file, "is truncated: it ends within its header");
      }
      int version = start[6];
      if (version < 1 || version > 3) {
        throw new InvalidFileException(
            file, "is a .npy file of version " + version + ", expected 1, 2 or 3");
      }
      var numbers = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN);
      int textOffset = version == 1 ? 10 : 12;
      long textLength =
          version == 1 ? numbers.getShort(8) & 0xFFFF : numbers.getInt(8) & 0xFFFFFFFFL;
      long dataOffset = textOffset + textLength;
      if (dataOffset > channel.size()) {
        throw new InvalidFileException(file, "is truncated: it ends within its header");
      }
      var text = new String(FileBytes.read(channel, textOffset, (int) textLength), ISO_8859_1);
      var header = parse(file, text, dataOffset);
      header.requireLength(channel.size());
      return header;
    } catch (InvalidFileException e) {
      throw e;
    } catch (IOException e) {
      throw new InvalidFileException(file, e);
    }
  }

  private static NpyHeader parse(Path file, String text, long dataOffset) {
    var type = TYPE.matcher(text);
    var order = ORDER.matcher(text);
    var shape = SHAPE.matcher(text);
    if (!type.find() || !order.find() || !shape.find()) {
      throw new InvalidFileException(
          file, "has a header that is not understood: " + text.strip() + "; save a plain array");
    }
    if (order.group(1).equals("True")) {
      throw new InvalidFileException(
          file, "is in Fortran order; save numpy.ascontiguousarray(x) instead");
    }
    var lengths =
        Arrays.stream(shape.group(1).replace("L", "").split(","))
            .map(String::strip)
            .filter(s -> !s.isEmpty())
            .map(Long::valueOf)
            .toList();
    var byteOrder = type.group(1).equals(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    return new NpyHeader(file, byteOrder, type.group(2), lengths, dataOffset);
  }

  /** Bytes of one number. */
  int itemBytes() {
    return type.length() > 1 ? Integer.parseInt(type.substring(1)) : 1;
  }

  /** The shape as NumPy writes it. */
  String shapeText() {
    var lengths = shape.stream().map(String::valueOf).collect(Collectors.joining(", "));
    return "(" + lengths + (shape.size() == 1 ? ",)" : ")");
  }

  private void requireLength(long actual) {
    long expected = itemBytes();
    for (long length : shape) {
      expected = Math.multiplyExact(expected, length);
    }
    expected += dataOffset;
    if (actual < expected) {
      throw new InvalidFileException(
          file, "is truncated: " + actual + " bytes, expected " + expected);
    }
    if (actual > expected) {
      throw new InvalidFileException(file, "has " + actual + " bytes, expected " + expected);
    }
  }
}
