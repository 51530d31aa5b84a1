// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every file that is not what its writer finished is refused with a sentence that says why. */
class DamagedFileTest {
  private static final String AGAIN = "; get or write the file anew";

  @TempDir Path folder;
  private Path file;
  private byte[] good;

  @BeforeEach
  void writeGoodFile() throws IOException {
    file = folder.resolve("a.mcd");
    try (var writer = new SectionFile.Writer(file, "DATA", 1)) {
      writer.section("first", MemorySegment.ofArray(new byte[] {1, 2, 3}));
      writer.section("second", MemorySegment.ofArray(new byte[5000]));
      writer.finish();
    }
    good = Files.readAllBytes(file);
    assertEquals(4096 + 4096 + 8192 + 2 * 64, good.length);
  }

  @Test
  void theGoodFileOpens() {
    try (var arena = Arena.ofConfined()) {
      assertEquals(2, SectionFile.open(file, "DATA", 1, arena).sections().size());
    }
  }

  @Test
  void aFlippedBitAnywhereIsFound() throws IOException {
    for (int at = 0; at < good.length; at += step(at)) {
      var bytes = good.clone();
      bytes[at] ^= (byte) (1 << (at % 8));
      var message = error(bytes);
      assertEquals(expectedForFlip(at), message, "byte " + at);
    }
  }

  private String expectedForFlip(int at) {
    if (at < 8) {
      return "is not a Megaclass file: it does not start with \"MEGACLAS\"";
    }
    var part =
        at < 64
            ? "its header"
            : at < 4096
                ? "the padding between its sections"
                : at < 4096 + 3
                    ? "section \"first\""
                    : at < 8192
                        ? "the padding between its sections"
                        : at < 8192 + 5000
                            ? "section \"second\""
                            : at < good.length - 128
                                ? "the padding between its sections"
                                : "its table of sections";
    return "is damaged: the checksum of " + part + " does not match" + AGAIN;
  }

  @Test
  void aTruncatedFileIsFoundAtEveryLength() throws IOException {
    for (int length = 0; length < good.length; length += step(length)) {
      var message = error(Arrays.copyOf(good, length));
      var expected =
          length == 0
              ? "is empty, expected a Megaclass file"
              : length < 8
                  ? "is not a Megaclass file: it does not start with \"MEGACLAS\""
                  : length < 64
                      ? "is truncated: " + length + " bytes, expected at least 64" + AGAIN
                      : "is truncated: " + length + " bytes, expected " + good.length + AGAIN;
      assertEquals(expected, message);
    }
  }

  @Test
  void aFileThatGrewIsRefused() throws IOException {
    assertEquals(
        "has 16513 bytes, expected 16512" + AGAIN, error(Arrays.copyOf(good, good.length + 1)));
  }

  @Test
  void foreignFilesAreRefused() throws IOException {
    var expected = "is not a Megaclass file: it does not start with \"MEGACLAS\"";
    assertEquals(
        expected, error("a\tlabelled text".getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    assertEquals(expected, error(new byte[100_000]));
  }

  @Test
  void filesOfAnotherKindAreNamed() {
    assertEquals("is a data file, expected a model file", openError("MODL", 1));
    assertEquals("is a data file, expected a checkpoint shard", openError("CKPT", 1));
    assertEquals("is a data file, expected a file of kind \"ABCD\"", openError("ABCD", 1));
  }

  @Test
  void newerVersionsAreRefused() {
    try (var writer = new SectionFile.Writer(file, "DATA", 7)) {
      writer.finish();
    }
    assertEquals(
        "is a data file of version 7, but this program reads versions up to 6; use a newer program",
        openError("DATA", 6));
  }

  @Test
  void filesThatCannotBeReadAreNamed() {
    file = folder.resolve("missing.mcd");
    assertEquals("no such file or folder", openError("DATA", 1));
    file = folder;
    assertTrue(openError("DATA", 1).toLowerCase(java.util.Locale.ROOT).contains("is a directory"));
  }

  @Test
  void kindOfRefusesTheSameFiles() throws IOException {
    Files.write(file, Arrays.copyOf(good, 100));
    var e = assertThrows(InvalidFileException.class, () -> SectionFile.kindOf(file));
    assertEquals(file + ": is truncated: 100 bytes, expected 16512" + AGAIN, e.getMessage());
    Files.delete(file);
    var missing = assertThrows(InvalidFileException.class, () -> SectionFile.kindOf(file));
    assertEquals(file + ": no such file or folder", missing.getMessage());
  }

  private String error(byte[] bytes) throws IOException {
    Files.write(file, bytes);
    return openError("DATA", 1);
  }

  /** Every byte of header, first section and table; some of the long and dull stretches. */
  private int step(int at) {
    boolean interesting = at < 72 || (at >= 4090 && at < 4105) || at >= good.length - 130;
    return interesting
        ? 1
        : at < 4090 ? Math.min(257, 4090 - at) : Math.min(257, good.length - 130 - at);
  }

  /** The message without the file it must start with. */
  private String openError(String kind, int maxVersion) {
    try (var arena = Arena.ofConfined()) {
      var e =
          assertThrows(
              InvalidFileException.class, () -> SectionFile.open(file, kind, maxVersion, arena));
      var start = file + ": ";
      var message = String.valueOf(e.getMessage());
      assertTrue(message.startsWith(start), message);
      return message.substring(start.length());
    }
  }
}
