// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import megaclass.internal.InvalidFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LabelledTextTest {
  @TempDir Path folder;

  @Test
  void eachLineIsALabelATabAndAText() throws IOException {
    assertEquals(List.of("kot|kota", "pies|psa"), read("kot\tkota\npies\tpsa\n"));
  }

  @Test
  void labelsMayHaveSpacesAndTextsTabs() throws IOException {
    assertEquals(
        List.of(" New York | the\tbig \t apple "), read(" New York \t the\tbig \t apple \n"));
  }

  @Test
  void theLastLineNeedsNoLineFeed() throws IOException {
    assertEquals(List.of("a|b", "c|d"), read("a\tb\nc\td"));
    assertEquals(List.of("a|b", "c|d"), read("a\tb\r\nc\td\r"));
  }

  @Test
  void carriageReturnsBeforeLineFeedsAreNoText() throws IOException {
    assertEquals(List.of("a|b", "c|d\re"), read("a\tb\r\nc\td\re\r\n"));
  }

  @Test
  void aByteOrderMarkIsNoLabel() throws IOException {
    assertEquals(List.of("a|b"), read("\uFEFFa\tb\n"));
    assertEquals(List.of("a|b", "\uFEFFc|d"), read("\uFEFFa\tb\n\uFEFFc\td\n"));
    assertEquals(List.of(), read("\uFEFF"));
  }

  @Test
  void emptyLinesAreSkippedButCounted() throws IOException {
    assertEquals(List.of("a|b", "c|d"), read("\n\na\tb\n\r\n\nc\td\n\n"));
    assertEquals("a.tsv:4: no tab in \"x\", expected LABEL<TAB>TEXT", error("\n\r\na\tb\nx\n"));
    assertEquals(List.of(), read(""));
    assertEquals(List.of(), read("\n\r\n"));
  }

  @Test
  void missingColumnsAreNamedWithTheirLine() throws IOException {
    assertEquals(
        "a.tsv:2: no tab in \"just a text\", expected LABEL<TAB>TEXT",
        error("a\tb\njust a text\n"));
    assertEquals("a.tsv:1: no label before the tab, expected LABEL<TAB>TEXT", error("\ttext\n"));
    assertEquals(
        "a.tsv:1: no text after the label \"a label\", expected LABEL<TAB>TEXT",
        error("a label\t\r\n"));
  }

  @Test
  void aLongLineIsCutInTheMessage() throws IOException {
    assertEquals(
        "a.tsv:1: no tab in \"" + "ä".repeat(20) + "...\", expected LABEL<TAB>TEXT",
        error("ä".repeat(100)));
    assertEquals("a.tsv:1: no tab in \"a\uFFFDb\", expected LABEL<TAB>TEXT", error("a\u0007b"));
  }

  @Test
  void everyCharacterOfUnicodeIsKept() throws IOException {
    var lines = new StringBuilder();
    var expected = new ArrayList<String>();
    for (int from = 0; from <= Character.MAX_CODE_POINT; from += 0x1000) {
      var text = new StringBuilder();
      for (int c = from; c < from + 0x1000; c++) {
        if (c != '\t' && c != '\n' && c != '\r' && (c < 0xD800 || c > 0xDFFF)) {
          text.appendCodePoint(c);
        }
      }
      if (!text.isEmpty()) {
        lines.append(text).append('\t').append(text).append('\n');
        expected.add(text + "|" + text);
      }
    }
    assertEquals(expected, read(lines.toString()));
  }

  @ParameterizedTest
  @CsvSource({
    "80, 1", // continuation byte alone
    "C3, 1", // cut off
    "C3 28, 1",
    "C0 80, 1", // overlong NUL, as Java's modified UTF-8 writes it
    "C1 BF, 1",
    "E0 80 80, 1", // overlong
    "ED A0 80, 1", // unpaired surrogate
    "ED A0 BD ED B8 80, 1", // a pair of surrogates, as CESU-8 writes it
    "F0 80 80 80, 1", // overlong
    "F4 90 80 80, 1", // above U+10FFFF
    "F8 88 80 80 80, 1",
    "FF, 1",
    "C3 A4 E2 82, 3"
  })
  void bytesThatAreNotUtf8AreNamed(String hex, int at) throws IOException {
    var bytes = new ByteArrayOutputStream();
    bytes.writeBytes("a\tb\nlabel\t".getBytes(UTF_8));
    var parts = hex.split(" ", -1);
    for (var part : parts) {
      bytes.write(Integer.parseInt(part, 16));
    }
    bytes.writeBytes("\nc\td\n".getBytes(UTF_8));
    var file = folder.resolve("a.tsv");
    Files.write(file, bytes.toByteArray());
    assertEquals(
        "a.tsv:2: byte %d of the line, 0x%s, is not valid UTF-8; save the file as UTF-8"
            .formatted(6 + at, parts[at - 1].toLowerCase(java.util.Locale.ROOT)),
        error(file));
  }

  @Test
  void aFileInAnotherEncodingIsRefused() throws IOException {
    var file = folder.resolve("a.tsv");
    Files.write(file, "a\tb\n".getBytes(UTF_16));
    assertEquals(
        "a.tsv:1: byte 1 of the line, 0xfe, is not valid UTF-8; save the file as UTF-8",
        error(file));
  }

  @Test
  void veryLongLinesAreRead() throws IOException {
    var text = "längs ".repeat(1_000_000);
    assertEquals(List.of("a|b", "c|" + text, "d|e"), read("a\tb\nc\t" + text + "\nd\te\n"));
  }

  @Test
  void linesAcrossTheBordersOfTheBufferAreRead() throws IOException {
    // Lines of growing length: their ends fall on every place around the border at 256 KiB.
    var lines = new StringBuilder();
    var expected = new ArrayList<String>();
    for (int i = 0; i < 1500; i++) {
      var text = "é".repeat(i);
      lines.append(i).append('\t').append(text).append("x\r\n");
      expected.add(i + "|" + text + "x");
    }
    assertEquals(expected, read(lines.toString()));
  }

  @Test
  void compressedFilesAreReadToo() throws IOException {
    var file = folder.resolve("a.tsv.gz");
    try (var out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write("kot\tkota\npies\tpsa\n".getBytes(UTF_8));
    }
    assertEquals(List.of("kot|kota", "pies|psa"), read(file));
    var bytes = Files.readAllBytes(file);
    Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length - 12));
    assertEquals(
        "a.tsv.gz: the compressed file ends too early or is damaged; get it anew", error(file));
    Files.writeString(file, "not compressed");
    assertEquals("a.tsv.gz: is named .gz but not compressed with gzip", error(file));
  }

  @Test
  void aMissingFileIsNamed() {
    assertEquals("a.tsv: no such file or folder", error(folder.resolve("a.tsv")));
  }

  @Test
  void theSourceSaysWhatItIs() {
    var source = new LabelledText(folder.resolve("a.tsv"));
    assertEquals(FeatureKind.TEXT, source.kind());
    assertEquals(0, source.featureDim());
    assertEquals("a.tsv", source.description());
  }

  private List<String> read(String content) throws IOException {
    var file = folder.resolve("a.tsv");
    Files.writeString(file, content);
    return read(file);
  }

  private static List<String> read(Path file) {
    var examples = new ArrayList<String>();
    new LabelledText(file)
        .forEach(
            new ExampleSource.Sink() {
              @Override
              public void text(byte[] utf8, byte[]... labels) {
                examples.add(new String(labels[0], UTF_8) + "|" + new String(utf8, UTF_8));
              }

              @Override
              public void row(float[] features, byte[]... labels) {
                throw new AssertionError("not dense");
              }

              @Override
              public void image(byte[] pixels, String name, byte[]... labels) {
                throw new AssertionError("not images");
              }
            });
    return examples;
  }

  private String error(String content) throws IOException {
    var file = folder.resolve("a.tsv");
    Files.writeString(file, content);
    return error(file);
  }

  /** The message from the name of the file on. */
  private String error(Path file) {
    var e = assertThrows(InvalidFileException.class, () -> read(file));
    return String.valueOf(e.getMessage()).replace(folder + "/", "");
  }
}
