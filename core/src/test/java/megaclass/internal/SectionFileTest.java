// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SectionFileTest {
  @TempDir Path folder;

  @Property(tries = 50)
  void sectionsAreReadAsTheyWereWritten(@ForAll @Size(max = 6) List<byte[]> contents)
      throws IOException {
    var file = Files.createTempFile("megaclass-test", ".mcm");
    try {
      var sections = new LinkedHashMap<String, byte[]>();
      for (var content : contents) {
        sections.put("section-" + sections.size(), content);
      }
      write(file, sections);
      assertSections(file, sections);
    } finally {
      Files.delete(file);
    }
  }

  @Test
  void sectionsOfAnyLengthSurvive() {
    var file = folder.resolve("a.mcm");
    var sections = new LinkedHashMap<String, byte[]>();
    int piece = (int) Checksum.PIECE_BYTES;
    for (int length : new int[] {0, 1, 4095, 4096, 4097, 1 << 20, piece - 1, piece, piece + 1}) {
      sections.put("length " + length, random(length));
    }
    write(file, sections);
    assertSections(file, sections);
  }

  @Test
  void numbersAreLittleEndian() {
    var file = folder.resolve("a.mcm");
    try (var writer = new SectionFile.Writer(file, "MODL", 1)) {
      try (var section = writer.section("numbers")) {
        section.write(7);
        section.putInt(0x01020304);
        section.putLong(0x0102030405060708L);
        section.putFloat(1f);
        section.putFloats(new float[] {-2f, 0.5f});
        assertEquals(25, section.length());
      }
      writer.finish();
    }
    try (var arena = Arena.ofConfined()) {
      var numbers = SectionFile.open(file, "MODL", 1, arena).section("numbers", 25);
      assertArrayEquals(
          new byte[] {7, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, (byte) 0x80, 0x3F},
          numbers.asSlice(0, 17).toArray(ValueLayout.JAVA_BYTE));
      assertEquals(-2f, numbers.get(LittleEndian.FLOAT, 17));
      assertEquals(0.5f, numbers.get(LittleEndian.FLOAT, 21));
    }
  }

  @Test
  void moreFloatsThanTheBufferHoldsAreWritten() {
    var file = folder.resolve("a.mcm");
    var floats = new float[300_000];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = i;
    }
    try (var writer = new SectionFile.Writer(file, "MODL", 1)) {
      try (var section = writer.section("rows")) {
        section.putFloats(floats);
      }
      writer.finish();
    }
    try (var arena = Arena.ofConfined()) {
      var rows = SectionFile.open(file, "MODL", 1, arena).section("rows");
      assertArrayEquals(floats, rows.toArray(LittleEndian.FLOAT));
    }
  }

  @Test
  void sectionsWrittenSideBySideAreAppended() throws IOException {
    var file = folder.resolve("a.mcd");
    int rounds = 300_000; // 2.4 MB each: more than the buffers
    try (var writer = new SectionFile.Writer(file, "DATA", 1)) {
      try (var first = writer.section("first");
          var second = writer.section("second");
          var third = writer.section("third")) {
        for (int i = 0; i < rounds; i++) {
          first.putLong(i);
          second.putLong(-i);
          third.putInt(i);
        }
      }
      writer.section("fourth", MemorySegment.ofArray("end".getBytes(UTF_8)));
      assertEquals(1, names().size(), "temporary files must have no names");
      writer.finish();
    }
    assertEquals(List.of("a.mcd"), names());
    try (var arena = Arena.ofConfined()) {
      var read = SectionFile.open(file, "DATA", 1, arena);
      assertEquals(
          List.of("first", "fourth", "second", "third"),
          read.sections().stream().map(SectionFile.SectionInfo::name).sorted().toList());
      for (long i = 0; i < rounds; i += 1000) {
        assertEquals(i, read.section("first").get(LittleEndian.LONG, i * 8));
        assertEquals(-i, read.section("second").get(LittleEndian.LONG, i * 8));
        assertEquals((int) i, read.section("third").get(LittleEndian.INT, i * 4));
      }
    }
  }

  @Test
  void sectionsStartAtPageBorders() {
    var file = folder.resolve("a.mcd");
    write(file, Map.of("a", random(5), "b", random(5000)));
    try (var arena = Arena.ofConfined()) {
      var read = SectionFile.open(file, "MODL", 1, arena);
      for (var section : read.sections()) {
        assertEquals(0, section.offset() % 4096);
        assertEquals(0, read.section(section.name()).address() % 4096);
      }
    }
  }

  @Test
  void sectionsCannotBeWrittenTo() {
    var file = folder.resolve("a.mcd");
    write(file, Map.of("a", random(5)));
    try (var arena = Arena.ofConfined()) {
      var section = SectionFile.open(file, "MODL", 1, arena).section("a");
      assertTrue(section.isReadOnly());
    }
  }

  @Test
  void theHeaderTellsKindVersionAndLength() throws IOException {
    var file = folder.resolve("a.bin");
    try (var writer = new SectionFile.Writer(file, "CKPT", 3)) {
      writer.finish();
    }
    assertEquals("CKPT", SectionFile.kindOf(file));
    try (var arena = Arena.ofConfined()) {
      var read = SectionFile.open(file, "CKPT", 5, arena);
      assertEquals(3, read.version());
      assertEquals(Files.size(file), read.length());
      assertEquals(file, read.path());
      assertEquals(List.of(), read.sections());
    }
  }

  @Test
  void aWriterClosedWithoutFinishLeavesNothing() throws IOException {
    try (var writer = new SectionFile.Writer(folder.resolve("a.mcd"), "DATA", 1)) {
      var section = writer.section("a");
      section.write(random(3 << 20));
      var beside = writer.section("b");
      beside.write(random(3 << 20));
      section.close();
      assertEquals(1, names().size());
      assertFalse(names().contains("a.mcd"));
    }
    assertEquals(List.of(), names());
  }

  @Test
  void anUnfinishedWriterKeepsTheOldFile() {
    var file = folder.resolve("a.mcd");
    var old = Map.of("a", random(10));
    write(file, old);
    try (var writer = new SectionFile.Writer(file, "MODL", 1)) {
      writer.section("b", MemorySegment.ofArray(random(10)));
    }
    assertSections(file, old);
  }

  @Test
  void misuseOfTheWriterIsRefused() {
    try (var writer = new SectionFile.Writer(folder.resolve("a.mcd"), "DATA", 1)) {
      var open = writer.section("a");
      assertEquals(
          "section \"a\" is still open",
          assertThrows(IllegalStateException.class, writer::finish).getMessage());
      open.close();
      assertEquals(
          "section \"a\" is written already",
          assertThrows(IllegalArgumentException.class, () -> writer.section("a")).getMessage());
      for (var name : List.of("", "ä", "123456789012345678901234567890123")) {
        assertEquals(
            "section name must be 1 to 32 ASCII letters, but was \"" + name + "\"",
            assertThrows(IllegalArgumentException.class, () -> writer.section(name)).getMessage());
      }
    }
  }

  @Test
  void aMissingSectionIsNamedWithThoseThatExist() {
    var file = folder.resolve("a.mcd");
    write(file, Map.of("a", random(1)));
    try (var arena = Arena.ofConfined()) {
      var read = SectionFile.open(file, "MODL", 1, arena);
      assertTrue(read.has("a"));
      assertFalse(read.has("b"));
      assertEquals(
          file + ": has no section \"b\"; it has [a]",
          assertThrows(InvalidFileException.class, () -> read.section("b")).getMessage());
      assertEquals(
          file + ": section \"a\" has 1 bytes, expected 8; write the file anew",
          assertThrows(InvalidFileException.class, () -> read.section("a", 8)).getMessage());
    }
  }

  private static void write(Path file, Map<String, byte[]> sections) {
    try (var writer = new SectionFile.Writer(file, "MODL", 1)) {
      sections.forEach((name, bytes) -> writer.section(name, MemorySegment.ofArray(bytes)));
      writer.finish();
    }
  }

  private static void assertSections(Path file, Map<String, byte[]> sections) {
    try (var arena = Arena.ofConfined()) {
      var read = SectionFile.open(file, "MODL", 1, arena);
      assertEquals(sections.size(), read.sections().size());
      sections.forEach(
          (name, bytes) ->
              assertArrayEquals(bytes, read.section(name).toArray(ValueLayout.JAVA_BYTE), name));
    }
  }

  private static byte[] random(int length) {
    var bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  private List<String> names() throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }
}
