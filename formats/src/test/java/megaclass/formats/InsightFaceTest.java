// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static megaclass.formats.Pictures.all;
import static megaclass.formats.Pictures.png;
import static megaclass.formats.Pictures.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import megaclass.data.Conversion;
import megaclass.data.Dataset;
import megaclass.data.ImageShape;
import megaclass.formats.Pictures.Taken;
import megaclass.internal.InvalidFileException;
import net.razorvine.pickle.Pickler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InsightFaceTest {
  private static final int MAGIC = 0xced7230a;

  @TempDir Path folder;

  private final ByteArrayOutputStream records = new ByteArrayOutputStream();
  private final StringBuilder index = new StringBuilder();

  @Test
  void imagesAreTheRecordsThatTheFirstOneSays() {
    // As InsightFace packs them: 0 says where images and identities end, the latter have ranges.
    add(0, packed(2, new float[] {4, 6}, new byte[0]));
    add(1, packed(0, new float[] {7}, png(Color.RED)));
    add(2, packed(0, new float[] {7}, png(Color.GREEN)));
    add(3, packed(2, new float[] {85_741, 0}, png(Color.BLUE)));
    add(4, packed(2, new float[] {1, 3}, new byte[0]));
    add(5, packed(2, new float[] {3, 4}, new byte[0]));
    assertEquals(
        List.of(
            new Taken("1", "7", List.of(255, 0, 0)),
            new Taken("2", "7", List.of(0, 255, 0)),
            new Taken("3", "85741", List.of(0, 0, 255))),
        all(source(new RecordFile(written()))));
  }

  @Test
  void withoutRangesEveryRecordIsAnImage() {
    add(0, packed(0, new float[] {1}, png(Color.RED)));
    add(1, packed(0, new float[] {2}, png(Color.GREEN)));
    assertEquals(2, all(source(new RecordFile(written()))).size());
  }

  @Test
  void aRecordThatHoldsTheMagicNumberIsJoinedFromItsParts() throws IOException {
    var image = png(Color.RED);
    var whole = packed(0, new float[] {3}, image);
    // Its bytes with the number in them, cut there: between the parts the number is left out.
    var one = new byte[] {1, 2, 3, 4};
    var two = new byte[] {5, 6, 7, 8};
    add(0, whole);
    index.append("1\t").append(records.size()).append('\n');
    var head = packed(0, new float[] {9}, one);
    part(1, head);
    part(2, two);
    part(3, new byte[] {9});
    var content = new ArrayList<EncodedImage>();
    new RecordFile(written()).forEach(content::add);
    assertEquals(2, content.size());
    var joined = ByteBuffer.wrap(content.get(1).content().read()).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(17, joined.remaining());
    assertEquals(MAGIC, joined.getInt(4));
    assertEquals(0x08070605, joined.getInt(8));
    assertEquals(MAGIC, joined.getInt(12));
    assertEquals("9", content.get(1).label());
  }

  @Test
  void aFileWithoutItsIndexOrWithDamageIsRefused() throws IOException {
    add(0, packed(0, new float[] {1}, png(Color.RED)));
    var file = written();
    var idx = folder.resolve("train.idx");
    Files.writeString(idx, "0\t4\n");
    assertEquals(
        file + ": record 0 does not start as a record does, at byte 4; get the file anew",
        error(new RecordFile(file)));
    Files.writeString(idx, "0\t0\n1\t9999\n");
    assertEquals(
        file + ": record 1 lies beyond the end of the file; get the file anew",
        error(new RecordFile(file)));
    Files.writeString(idx, "0 0\n");
    assertEquals(
        idx + ": must have a key, a tab and an offset in each line", error(new RecordFile(file)));
    Files.delete(idx);
    assertEquals(
        idx + ": is not there; a .rec file needs its index beside it, get it with the data",
        error(new RecordFile(file)));
  }

  @Test
  void pairsOfPython3AreReadAndWritten() throws IOException {
    var images = List.of(png(Color.RED), png(Color.GREEN), new byte[0], png(Color.BLUE));
    var file = pickle(new Object[] {images, List.of(true, false)});
    var pairs = PairFile.open(file);
    assertEquals(2, pairs.numPairs());
    var out = folder.resolve("lfw.mcd");
    var source = source(pairs);
    assertEquals(3, Conversion.whole(source, out).trainExamples());
    assertEquals(List.of("2 is empty"), source.skipped().first());
    try (var data = Dataset.open(out)) {
      assertEquals("3", data.name(2));
      assertEquals("unknown", data.labels().label(0));
      var written = folder.resolve("lfw.pairs.tsv");
      assertEquals(1, pairs.writePairs(data, written), "the other pair lacks an image");
      assertEquals("0\t1\t1\n", Files.readString(written));
    }
  }

  @Test
  void imagesOfPython2AreStrings() throws IOException {
    var text = new String(png(Color.RED), ISO_8859_1);
    // Protocol 2, as Python 2 wrote it: BINSTRING of raw bytes, NEWTRUE, a tuple of two lists.
    var bytes = new ByteArrayOutputStream();
    bytes.write(new byte[] {(byte) 0x80, 2, ']', '('});
    for (int i = 0; i < 2; i++) {
      bytes.write('T');
      var length = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(text.length());
      bytes.write(length.array());
      bytes.write(text.getBytes(ISO_8859_1));
    }
    bytes.write(new byte[] {'e', ']', (byte) 0x88, 'a', (byte) 0x86, '.'});
    var taken = all(source(PairFile.open(write(folder.resolve("a.bin"), bytes.toByteArray()))));
    assertEquals(
        List.of(
            new Taken("0", "unknown", List.of(255, 0, 0)),
            new Taken("1", "unknown", List.of(255, 0, 0))),
        taken);
  }

  @Test
  void whatIsNoVerificationSetIsRefused() throws IOException {
    var expected =
        ": is no verification set of InsightFace: expected a pickle of (list of images, list of"
            + " issame)";
    for (var content :
        List.of(List.of(1, 2), new Object[] {1, 2}, new Object[] {List.of(1), List.of(true)})) {
      var file = pickle(content);
      assertEquals(file + expected, openError(file));
    }
    var file = pickle(new Object[] {List.of(new byte[1]), List.of(true)});
    assertEquals(file + ": has 1 images for 1 pairs, expected two for each", openError(file));
    for (var bytes : List.of(new byte[0], new byte[] {1, 2, 3}, "hello".getBytes(ISO_8859_1))) {
      var other = write(folder.resolve("b.bin"), bytes);
      assertTrue(openError(other).startsWith(other + ": "), openError(other));
    }
  }

  private static String openError(Path file) {
    return String.valueOf(
        assertThrows(InvalidFileException.class, () -> PairFile.open(file)).getMessage());
  }

  private static String error(ImageCatalogue catalogue) {
    var source = source(catalogue);
    return String.valueOf(assertThrows(InvalidFileException.class, () -> all(source)).getMessage());
  }

  private Path pickle(Object content) throws IOException {
    return write(folder.resolve("lfw.bin"), new Pickler().dumps(content));
  }

  private static ImageSource source(ImageCatalogue catalogue) {
    var decoder = new ImageDecoder(new ImageShape(3, 1, 1), Resize.CROP);
    return new ImageSource(catalogue, decoder, BadImages.SKIP);
  }

  private Path written() {
    write(folder.resolve("train.idx"), index.toString().getBytes(ISO_8859_1));
    return write(folder.resolve("train.rec"), records.toByteArray());
  }

  private void add(int key, byte[] content) {
    index.append(key).append('\t').append(records.size()).append('\n');
    part(0, content);
  }

  private void part(int kind, byte[] content) {
    var bytes = ByteBuffer.allocate(8 + (content.length + 3) / 4 * 4);
    bytes.order(ByteOrder.LITTLE_ENDIAN).putInt(MAGIC).putInt(kind << 29 | content.length);
    records.writeBytes(bytes.put(content).array());
  }

  /** With flag 0 the label stands in the header, otherwise the labels stand behind it. */
  private static byte[] packed(int flag, float[] labels, byte[] image) {
    var bytes = ByteBuffer.allocate(24 + 4 * flag + image.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(flag).putFloat(flag == 0 ? labels[0] : 0).putLong(5).putLong(0);
    for (int i = 0; i < flag; i++) {
      bytes.putFloat(labels[i]);
    }
    return bytes.put(image).array();
  }
}
