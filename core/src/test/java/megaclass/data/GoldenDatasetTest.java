// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import megaclass.internal.InvalidFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Data files of version 1, as {@code docs/formats.md} describes them. The files in
 * test/resources/golden were written by {@link #main} when the version was made and must be read
 * for ever; a new version gets new files beside them.
 */
class GoldenDatasetTest {
  private static final String TEXT = "text-v1.mcd";
  private static final String DENSE = "dense-v1.mcd";
  private static final String IMAGE = "image-v1.mcd";

  @TempDir Path folder;

  /** Writes the golden files into the folder given. */
  public static void main(String[] args) {
    writeText(Path.of(args[0], TEXT));
    writeDense(Path.of(args[0], DENSE));
    writeImages(Path.of(args[0], IMAGE));
  }

  private static void writeText(Path file) {
    try (var writer = DatasetWriter.text(file)) {
      writer.add("kota", "kot");
      writer.add("żółwie 🐢", "żółw");
      writer.add("mam", "mama", "mieć");
      writer.add("kotem", "kot");
      writer.source("by hand, \\ on\ntwo lines").finish();
    }
  }

  private static void writeDense(Path file) {
    try (var writer = DatasetWriter.dense(file, 3)) {
      writer.add(new float[] {1, 2, 3}, "a");
      writer.add(new float[] {-1, 0.5f, Float.MIN_VALUE}, "b");
      writer.source("by hand").finish();
    }
  }

  private static void writeImages(Path file) {
    try (var writer = DatasetWriter.images(file, new ImageShape(1, 2, 3))) {
      writer.add(new byte[] {0, 1, 2, 3, 4, (byte) 255}, "", "a");
      writer.add(new byte[] {9, 8, 7, 6, 5, 4}, "b/żółw.png", "b");
      writer.source("by hand").finish();
    }
  }

  @Test
  void textsOfVersion1AreRead() throws IOException {
    try (var data = Dataset.open(golden(TEXT))) {
      assertEquals(FeatureKind.TEXT, data.kind());
      assertEquals(4, data.numExamples());
      assertEquals(4, data.numClasses());
      assertEquals("by hand, \\ on\ntwo lines", data.source());
      var texts = List.of("kota", "żółwie 🐢", "mam", "kotem");
      for (int i = 0; i < 4; i++) {
        assertEquals(texts.get(i), new String(data.text(i).toArray(ValueLayout.JAVA_BYTE), UTF_8));
      }
      var labels = List.of("kot", "żółw", "mama", "mieć");
      for (int id = 0; id < 4; id++) {
        assertEquals(labels.get(id), data.labels().label(id));
        assertEquals(id, data.labels().classId(labels.get(id)));
      }
      assertEquals(2, data.numTargets(2));
      assertEquals(3, data.target(2, 1));
      assertEquals(0, data.target(3, 0));
      assertEquals(351036981613082506L, data.contentHash());
    }
  }

  @Test
  void rowsOfVersion1AreRead() throws IOException {
    try (var data = Dataset.open(golden(DENSE))) {
      assertEquals(FeatureKind.DENSE, data.kind());
      assertEquals(2, data.numExamples());
      assertArrayEquals(new float[] {1, 2, 3}, data.features(0));
      assertArrayEquals(new float[] {-1, 0.5f, Float.MIN_VALUE}, data.features(1));
      assertEquals("b", data.labels().label(data.target(1, 0)));
      assertEquals(2186445276873501948L, data.contentHash());
    }
  }

  @Test
  void imagesOfVersion1AreRead() throws IOException {
    try (var data = Dataset.open(golden(IMAGE))) {
      assertEquals(FeatureKind.IMAGE, data.kind());
      assertEquals(new ImageShape(1, 2, 3), data.imageShape());
      assertEquals(2, data.numExamples());
      assertEquals("0", data.name(0));
      assertEquals("b/żółw.png", data.name(1));
      assertEquals("b", data.labels().label(data.target(1, 0)));
      assertArrayEquals(
          new byte[] {9, 8, 7, 6, 5, 4},
          data.pixels().asSlice(data.pixelOffset(1), 6).toArray(ValueLayout.JAVA_BYTE));
      assertEquals(-6956719504949603387L, data.contentHash());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {TEXT, DENSE, IMAGE})
  void version1IsStillWrittenByteForByte(String name) throws IOException {
    main(new String[] {folder.toString()});
    var written = Files.readAllBytes(folder.resolve(name));
    assertArrayEquals(Files.readAllBytes(golden(name)), written);
  }

  @ParameterizedTest
  @ValueSource(strings = {TEXT, DENSE, IMAGE})
  void theBytesAreWhatTheDocumentSays(String name) throws IOException {
    var file = ByteBuffer.wrap(Files.readAllBytes(golden(name))).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals("MEGACLASDATA", ascii(file, 0, 12));
    assertEquals(1, file.getInt(12));
    assertEquals(file.capacity(), file.getLong(16));
    assertEquals(crc(file, 0, 60), file.getInt(60));
    int numSections = file.getInt(24);
    int table = (int) file.getLong(32);
    assertEquals(file.capacity(), table + 64 * numSections);
    assertEquals(crc(file, table, 64 * numSections), file.getInt(40));
    for (int at = table; at < file.capacity(); at += 64) {
      int offset = (int) file.getLong(at + 32);
      int length = (int) file.getLong(at + 40);
      assertEquals(0, offset % 4096);
      var pieces = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
      pieces.putInt(crc(file, offset, length));
      assertEquals(crc(pieces, 0, 4), file.getInt(at + 48));
    }
  }

  @Test
  void theSectionsAreWhatTheDocumentSays() throws IOException {
    var text = sections(golden(TEXT));
    assertEquals(
        """
        features = TEXT
        feature-dim = 0
        examples = 4
        source = by hand, \\\\ on\\ntwo lines
        """,
        UTF_8.decode(section(text, "meta")).toString());
    assertEquals("kotażółwie 🐢mamkotem", UTF_8.decode(section(text, "text.bytes")).toString());
    assertArrayEquals(new long[] {0, 4, 18, 21, 26}, longs(section(text, "text.offsets")));
    assertArrayEquals(new int[] {0, 1, 2, 3, 0}, ints(section(text, "targets")));
    assertArrayEquals(new long[] {0, 1, 2, 4, 5}, longs(section(text, "targets.offsets")));
    assertEquals("kotżółwmamamieć", UTF_8.decode(section(text, "labels.bytes")).toString());
    assertArrayEquals(new long[] {0, 3, 10, 14, 19}, longs(section(text, "labels.offsets")));
    // Slots by XXH64, from the xxhash package of Python: kot 5, żółw 0, mama 7, mieć 7 (mod 8).
    assertArrayEquals(new int[] {1, 3, -1, -1, -1, 0, -1, 2}, ints(section(text, "labels.index")));

    var dense = sections(golden(DENSE));
    var rows = section(dense, "rows").asFloatBuffer();
    assertEquals(6, rows.remaining());
    assertEquals(0.5f, rows.get(4));
    assertArrayEquals(new int[] {0, 1}, ints(section(dense, "targets")));

    var image = sections(golden(IMAGE));
    assertEquals(
        """
        features = IMAGE
        feature-dim = 0
        image = 1x2x3
        examples = 2
        source = by hand
        """,
        UTF_8.decode(section(image, "meta")).toString());
    assertEquals((byte) 255, section(image, "pixels").get(5));
    assertEquals("b/żółw.png", UTF_8.decode(section(image, "names.bytes")).toString());
    assertArrayEquals(new long[] {0, 0, 13}, longs(section(image, "names.offsets")));
  }

  @ParameterizedTest
  @ValueSource(strings = {TEXT, DENSE, IMAGE})
  void aFlippedBitInAnySectionIsNamed(String name) throws IOException {
    var good = Files.readAllBytes(golden(name));
    var file = ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = (int) file.getLong(32); at < good.length; at += 64) {
      var damaged = good.clone();
      int middle = (int) (file.getLong(at + 32) + file.getLong(at + 40) / 2);
      damaged[middle] ^= 4;
      var path = Files.write(folder.resolve("damaged.mcd"), damaged);
      var e = assertThrows(InvalidFileException.class, () -> Dataset.open(path));
      assertEquals(
          path
              + ": is damaged: the checksum of section \""
              + ascii(file, at, 32).trim()
              + "\" does not match; get or write the file anew",
          e.getMessage());
    }
  }

  @Test
  void theDocumentNamesEverySection() throws IOException {
    var document = Files.readString(Path.of("..", "docs", "formats.md"));
    for (var name : List.of(TEXT, DENSE, IMAGE)) {
      for (var section : sections(golden(name)).keySet()) {
        assertTrue(document.contains("| `" + section + "` |"), section);
      }
    }
  }

  private Path golden(String name) throws IOException {
    try (var in = GoldenDatasetTest.class.getResourceAsStream("/golden/" + name)) {
      if (in == null) {
        throw new AssertionError(name);
      }
      return Files.write(folder.resolve("golden-" + name), in.readAllBytes());
    }
  }

  private static Map<String, ByteBuffer> sections(Path path) throws IOException {
    var file = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    var sections = new LinkedHashMap<String, ByteBuffer>();
    for (int at = (int) file.getLong(32); at < file.capacity(); at += 64) {
      int offset = (int) file.getLong(at + 32);
      var bytes = file.slice(offset, (int) file.getLong(at + 40));
      sections.put(ascii(file, at, 32).trim(), bytes.order(ByteOrder.LITTLE_ENDIAN));
    }
    return sections;
  }

  private static ByteBuffer section(Map<String, ByteBuffer> sections, String name) {
    var section = sections.get(name);
    if (section == null) {
      throw new AssertionError(name + " is not in " + sections.keySet());
    }
    return section;
  }

  private static String ascii(ByteBuffer file, int from, int length) {
    return US_ASCII.decode(file.slice(from, length)).toString();
  }

  private static int crc(ByteBuffer file, int from, int length) {
    var crc = new CRC32C();
    crc.update(file.slice(from, length));
    return (int) crc.getValue();
  }

  private static int[] ints(ByteBuffer bytes) {
    var ints = new int[bytes.remaining() / Integer.BYTES];
    bytes.asIntBuffer().get(ints);
    return ints;
  }

  private static long[] longs(ByteBuffer bytes) {
    var longs = new long[bytes.remaining() / Long.BYTES];
    bytes.asLongBuffer().get(longs);
    return longs;
  }
}
