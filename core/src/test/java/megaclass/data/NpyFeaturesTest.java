// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import megaclass.internal.InvalidFileException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The files of test/resources/npy were written by NumPy: see make_npy.py there. */
class NpyFeaturesTest {
  private static final float[][] ROWS = {{0f, 1f, -2.5f}, {65504f, 0.125f, -6.1035156e-05f}};

  @TempDir Path folder;
  private Path twoLabels;

  @BeforeEach
  void writeLabels() throws IOException {
    twoLabels = Files.writeString(folder.resolve("labels.txt"), "a b\nä\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"f2", "f4", "f8", "f2-big", "f4-big", "f8-big", "f4-v2", "f4-v3"})
  void filesOfNumpyAreRead(String name) throws IOException {
    var source = NpyFeatures.open(numpy(name + ".npy"), twoLabels);
    assertEquals(FeatureKind.DENSE, source.kind());
    assertEquals(3, source.featureDim());
    assertEquals(name + ".npy with labels.txt", source.description());
    for (int i = 0; i < 2; i++) { // a source may be read again
      var read = new Collected();
      source.forEach(read);
      assertArrayEquals(ROWS, read.rows.toArray(float[][]::new));
      assertEquals(List.of("a b", "ä"), read.labels);
    }
  }

  @Test
  void rowsToPredictNeedNoLabels() throws IOException {
    var source = NpyFeatures.unlabelled(numpy("f4.npy"));
    assertEquals("f4.npy", source.description());
    var read = new Collected();
    source.forEach(read);
    assertArrayEquals(ROWS, read.rows.toArray(float[][]::new));
    assertEquals(List.of("unknown", "unknown"), read.labels);
  }

  @ParameterizedTest
  @CsvSource({
    "i1, -128",
    "i2, -32768",
    "i4, -2147483648",
    "i8, -9223372036854775808",
    "u1, 255",
    "u2, 65535",
    "u4, 4294967295",
    "u8, 18446744073709551615",
    "i4-big, -5"
  })
  void integerLabelsBecomeDecimalStrings(String type, String first) throws IOException {
    var read = new Collected();
    NpyFeatures.open(numpy("f4.npy"), numpy("labels-" + type + ".npy")).forEach(read);
    assertEquals(List.of(first, "7"), read.labels);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "fortran.npy | is in Fortran order; save numpy.ascontiguousarray(x) instead",
        "one-axis.npy | has shape (3,), expected two axes: (examples, features)",
        "three-axes.npy | has shape (2, 3, 1), expected two axes: (examples, features)",
        "no-examples.npy | has shape (0, 3), expected 1 to 1048576 features an example",
        "no-features.npy | has shape (3, 0), expected 1 to 1048576 features an example",
        "integers.npy | has numbers of type i4, expected float16, float32 or float64",
        "complex.npy | has numbers of type c8, expected float16, float32 or float64"
      })
  void arraysOfOtherFormsAreRefused(String name, String expected) throws IOException {
    assertEquals(name + ": " + expected, openError(numpy(name), twoLabels));
  }

  @Test
  void headersThatAreNotUnderstoodAreShown() throws IOException {
    assertEquals(
        "structured.npy: has a header that is not understood: {'descr': [('a', '<f4'), ('b',"
            + " '<f4')], 'fortran_order': False, 'shape': (2,), }; save a plain array",
        openError(numpy("structured.npy"), twoLabels));
  }

  @Test
  void theNumberOfLabelsMustBeThatOfTheExamples() throws IOException {
    var features = numpy("f4.npy");
    var one = Files.writeString(folder.resolve("one.txt"), "a");
    assertEquals(
        "one.txt: has 1 labels, but f4.npy has 2 examples; give one label an example",
        openError(features, one));
    var three = Files.writeString(folder.resolve("three.txt"), "a\nb\nc\n");
    assertEquals(
        "three.txt: has 3 labels, but f4.npy has 2 examples; give one label an example",
        openError(features, three));
    var npy = folder.resolve("three.npy");
    Files.write(npy, npyFile(1, "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }", 12));
    assertEquals(
        "three.npy: has 3 labels, but f4.npy has 2 examples; give one label an example",
        openError(features, npy));
  }

  @Test
  void labelsAreChecked() throws IOException {
    var features = numpy("f4.npy");
    var empty = Files.writeString(folder.resolve("empty.txt"), "a\r\n\r\n");
    assertEquals("empty.txt:2: the line is empty, expected a label", openError(features, empty));
    var invalid = Files.write(folder.resolve("invalid.txt"), new byte[] {'a', '\n', (byte) 0xFF});
    assertEquals(
        "invalid.txt:2: byte 1 of the line, 0xff, is not valid UTF-8; save the file as UTF-8",
        openError(features, invalid));
    assertEquals(
        "labels-f4.npy: has shape (2,) and type f4, expected one axis of integers: (examples,)",
        openError(features, numpy("labels-f4.npy")));
    assertEquals(
        "labels-two-axes.npy: has shape (1, 2) and type i4, expected one axis of integers:"
            + " (examples,)",
        openError(features, numpy("labels-two-axes.npy")));
  }

  @Test
  void labelsThatChangeWhileTheyAreReadAreNoticed() throws IOException {
    var source = NpyFeatures.open(numpy("f4.npy"), twoLabels);
    Files.writeString(twoLabels, "a\n");
    var e = assertThrows(InvalidFileException.class, () -> source.forEach(new Collected()));
    assertEquals(
        twoLabels + ":1: the file became shorter while it was read; try again", e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "<f4, 7fc00000, NaN",
    "<f4, 7f800000, Infinity",
    "<f4, ff800000, -Infinity",
    ">f4, 7fc00000, NaN",
    "<f2, 00007c00, Infinity",
    "<f8, 7ff8000000000000, NaN",
    "<f8, 7e37e43c8800759c, Infinity" // 1e300: finite as float64, but not as float32
  })
  void rowsThatAreNotFiniteAreNamed(String type, String hex, String shown) throws IOException {
    int itemBytes = type.charAt(2) - '0';
    var order = type.startsWith(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    var header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (3, 2), }";
    var bytes = npyFile(1, header, 6 * itemBytes);
    var numbers = ByteBuffer.wrap(bytes).order(order);
    int at = bytes.length - itemBytes; // row 2, column 1
    long bits = Long.parseUnsignedLong(hex, 16);
    switch (itemBytes) {
      case 2 -> numbers.putShort(at, (short) bits);
      case 4 -> numbers.putInt(at, (int) bits);
      default -> numbers.putLong(at, bits);
    }
    var file = Files.write(folder.resolve("x.npy"), bytes);
    var labels = Files.writeString(folder.resolve("three.txt"), "a\nb\nc\n");
    var source = NpyFeatures.open(file, labels);
    var e = assertThrows(InvalidFileException.class, () -> source.forEach(new Collected()));
    assertEquals(
        file
            + ": row 2, column 1 (counted from 0) is "
            + shown
            + "; features must be finite float32 numbers",
        e.getMessage());
  }

  @Test
  void damagedFilesAreRefused() throws IOException {
    var good = Files.readAllBytes(numpy("f4.npy"));
    assertEquals(128 + 24, good.length);
    assertEquals("is truncated: 151 bytes, expected 152", damage(Arrays.copyOf(good, 151)));
    assertEquals("has 153 bytes, expected 152", damage(Arrays.copyOf(good, 153)));
    for (int length = 6; length < 128; length++) {
      assertEquals("is truncated: it ends within its header", damage(Arrays.copyOf(good, length)));
    }
    for (int length = 0; length < 6; length++) {
      assertEquals(
          "is not a .npy file: it does not start with \\x93NUMPY",
          damage(Arrays.copyOf(good, length)));
    }
    var version = good.clone();
    version[6] = 4;
    assertEquals("is a .npy file of version 4, expected 1, 2 or 3", damage(version));
  }

  @Test
  void headersFromOtherProgramsAreUnderstood() throws IOException {
    // Other order of keys, no spaces, a long integer of Python 2.
    var header = "{\"shape\":(1L,2L),\"fortran_order\":False,\"descr\":\"<f4\"}".replace('"', '\'');
    var file = Files.write(folder.resolve("x.npy"), npyFile(2, header, 8));
    var labels = Files.writeString(folder.resolve("one.txt"), "a");
    var read = new Collected();
    NpyFeatures.open(file, labels).forEach(read);
    assertArrayEquals(new float[][] {{0, 0}}, read.rows.toArray(float[][]::new));
  }

  private static final class Collected implements ExampleSource.Sink {
    private final List<float[]> rows = new ArrayList<>();
    private final List<String> labels = new ArrayList<>();

    @Override
    public void text(byte[] utf8, byte[]... labelsOfExample) {
      throw new AssertionError("not text");
    }

    @Override
    public void row(float[] features, byte[]... labelsOfExample) {
      rows.add(features.clone());
      labels.add(new String(labelsOfExample[0], UTF_8));
    }

    @Override
    public void image(byte[] pixels, String name, byte[]... labelsOfExample) {
      throw new AssertionError("not images");
    }
  }

  private Path numpy(String name) throws IOException {
    try (var in = NpyFeaturesTest.class.getResourceAsStream("/npy/" + name)) {
      if (in == null) {
        throw new AssertionError(name);
      }
      return Files.write(folder.resolve(name), in.readAllBytes());
    }
  }

  private static byte[] npyFile(int version, String header, int dataBytes) {
    var text = (header + "\n").getBytes(ISO_8859_1);
    var bytes =
        ByteBuffer.allocate((version == 1 ? 10 : 12) + text.length + dataBytes)
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.put("\u0093NUMPY".getBytes(ISO_8859_1)).put((byte) version).put((byte) 0);
    if (version == 1) {
      bytes.putShort((short) text.length);
    } else {
      bytes.putInt(text.length);
    }
    return bytes.put(text).array();
  }

  private String damage(byte[] bytes) throws IOException {
    var file = Files.write(folder.resolve("damaged.npy"), bytes);
    return openError(file, twoLabels).replace("damaged.npy: ", "");
  }

  private String openError(Path features, Path labels) {
    var e = assertThrows(InvalidFileException.class, () -> NpyFeatures.open(features, labels));
    return String.valueOf(e.getMessage()).replace(folder + "/", "");
  }
}
