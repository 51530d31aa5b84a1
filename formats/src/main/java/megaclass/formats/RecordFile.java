// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import megaclass.internal.InvalidFileException;

/**
 * A training set of InsightFace: a RecordIO file of MXNet, {@code train.rec}, with its index beside
 * it, {@code train.idx}, a key, a tab and an offset in each line. A class is the number of an
 * identity, the name of an image is its key.
 *
 * <p>A record is {@code 0xced7230a}, its length with three bits on top, its bytes, and zeros up to
 * a multiple of four; bytes that hold the first number are cut into several parts there. The bytes
 * start with a header: flag (int), label (float), two longs; if the flag is not 0, so many floats
 * follow, the first of which is the label. If the header of record 0 has them, images are the
 * records from 1 to that number, exclusive; the others say which images an identity has.
 *
 * @param path the {@code .rec} file
 */
public record RecordFile(Path path) implements ImageCatalogue {
  private static final int MAGIC = 0xced7230a;
  private static final int LENGTH_BITS = 29;
  private static final int HEADER_BYTES = 24;

  /** The header and the image of one record. */
  private record Unpacked(boolean hasLabels, float label, EncodedImage.Content image) {}

  @Override
  public void forEach(Consumer<EncodedImage> into) {
    var offsets = offsets();
    try (var file = FileChannel.open(path)) {
      var first = offsets.get(0L);
      var head = first == null ? null : read(file, 0, first);
      boolean ranged = head != null && head.hasLabels();
      for (long key : new TreeSet<>(offsets.keySet())) {
        boolean isImage = head == null || !ranged || (key > 0 && key < (long) head.label());
        if (isImage) {
          var record = read(file, key, offsets.getOrDefault(key, 0L));
          String identity = String.valueOf((long) record.label());
          into.accept(new EncodedImage(String.valueOf(key), identity, record.image()));
        }
      }
    } catch (IOException e) {
      throw new InvalidFileException(path, e);
    }
  }

  private Map<Long, Long> offsets() {
    var name = String.valueOf(path.getFileName());
    var index = path.resolveSibling(name.replaceFirst("\\.rec$", "") + ".idx");
    var offsets = new HashMap<Long, Long>();
    try (var lines = Files.newBufferedReader(index)) {
      for (var line = lines.readLine(); line != null; line = lines.readLine()) {
        var parts = line.split("\t", -1);
        offsets.put(Long.parseLong(parts[0]), Long.parseLong(parts[1]));
      }
      return offsets;
    } catch (NoSuchFileException _) {
      throw new InvalidFileException(
          index, "is not there; a .rec file needs its index beside it, get it with the data");
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      throw new InvalidFileException(index, "must have a key, a tab and an offset in each line");
    } catch (IOException e) {
      throw new InvalidFileException(index, e);
    }
  }

  private Unpacked read(FileChannel file, long key, long offset) throws IOException {
    var bytes = ByteBuffer.wrap(joined(file, key, offset)).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.remaining() < HEADER_BYTES) {
      throw damaged(key, "is shorter than its header");
    }
    int flag = bytes.getInt(0);
    if (flag < 0 || flag > (bytes.remaining() - HEADER_BYTES) / Float.BYTES) {
      throw damaged(key, "says that it has " + flag + " labels");
    }
    float label = flag == 0 ? bytes.getFloat(4) : bytes.getFloat(HEADER_BYTES);
    var image = new byte[bytes.remaining() - HEADER_BYTES - flag * Float.BYTES];
    bytes.get(HEADER_BYTES + flag * Float.BYTES, image);
    return new Unpacked(flag > 0, label, () -> image);
  }

  /** The bytes of a record, from all its parts, with the number between them put back. */
  private byte[] joined(FileChannel file, long key, long offset) throws IOException {
    var all = new ByteArrayOutputStream();
    long at = offset;
    while (true) {
      var head = part(file, key, at, 8);
      if (head.getInt(0) != MAGIC) {
        throw damaged(key, "does not start as a record does, at byte " + at);
      }
      int kind = head.getInt(4) >>> LENGTH_BITS;
      int length = head.getInt(4) & (1 << LENGTH_BITS) - 1;
      if (all.size() > 0) {
        all.write(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(MAGIC).array());
      }
      all.write(part(file, key, at + 8, length).array());
      if (kind == 0 || kind == 3) { // 0: whole, 1: the first part, 2: one between, 3: the last
        return all.toByteArray();
      }
      at += 8 + (length + 3L & -4L);
    }
  }

  private ByteBuffer part(FileChannel file, long key, long at, int length) throws IOException {
    if (at < 0 || at + length > file.size()) {
      throw damaged(key, "lies beyond the end of the file");
    }
    var bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining() && file.read(bytes, at + bytes.position()) >= 0) {}
    return bytes;
  }

  private InvalidFileException damaged(long key, String fault) {
    return new InvalidFileException(path, "record %d %s; get the file anew".formatted(key, fault));
  }
}
