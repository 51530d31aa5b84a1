// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static megaclass.formats.Pictures.encoded;
import static megaclass.formats.Pictures.halves;
import static megaclass.formats.Pictures.plain;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import megaclass.data.ImageShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageDecoderTest {
  private static final Color TEAL = new Color(10, 200, 150);

  @ParameterizedTest
  @ValueSource(strings = {"png", "bmp", "gif", "tiff", "jpg"})
  void everyFormatGivesTheColoursOfItsImage(String format) throws Exception {
    var pixels = decode(encoded(halves(5, 16, 16, TEAL, Color.WHITE), format), "3x16x16");
    int[][] expected = {{10, 255}, {200, 255}, {150, 255}};
    int tolerance = format.equals("jpg") ? 6 : 0;
    for (int channel = 0; channel < 3; channel++) {
      assertEquals(expected[channel][0], at(pixels, channel, 5, 2, 16), tolerance);
      assertEquals(expected[channel][1], at(pixels, channel, 5, 13, 16), tolerance);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"lossless.webp", "lossy.webp", "cmyk.jpg"})
  void formatsOfTheLibraryAreRead(String name) throws Exception {
    try (var file = ImageDecoderTest.class.getResourceAsStream("/images/" + name)) {
      if (file == null) {
        throw new AssertionError(name);
      }
      var pixels = decode(file.readAllBytes(), "3x16x16");
      int tolerance = name.equals("lossless.webp") ? 0 : 12;
      assertEquals(10, at(pixels, 0, 5, 2, 16), tolerance);
      assertEquals(200, at(pixels, 1, 5, 2, 16), tolerance);
      assertEquals(150, at(pixels, 2, 5, 2, 16), tolerance);
      assertEquals(255, at(pixels, 0, 5, 13, 16), tolerance);
    }
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        BufferedImage.TYPE_BYTE_GRAY,
        BufferedImage.TYPE_USHORT_GRAY,
        BufferedImage.TYPE_BYTE_BINARY,
        BufferedImage.TYPE_BYTE_INDEXED,
        BufferedImage.TYPE_INT_ARGB
      })
  void everyKindOfPixelIsRead(int type) throws Exception {
    var image = halves(type, 8, 8, Color.BLACK, Color.WHITE);
    for (var shape : new String[] {"1x8x8", "3x8x8"}) {
      var pixels = decode(encoded(image, "png"), shape);
      for (int channel = 0; channel < pixels.length / 64; channel++) {
        assertEquals(0, at(pixels, channel, 3, 1, 8));
        assertEquals(255, at(pixels, channel, 3, 6, 8));
      }
    }
  }

  @Test
  void greyIsKeptAsItIs() throws Exception {
    var image = new BufferedImage(1, 1, BufferedImage.TYPE_BYTE_GRAY);
    image.getRaster().setSample(0, 0, 0, 100);
    assertArrayEquals(new byte[] {100}, decode(encoded(image, "png"), "1x1x1"));
    var deep = new BufferedImage(1, 1, BufferedImage.TYPE_USHORT_GRAY);
    deep.getRaster().setSample(0, 0, 0, 100 * 257);
    assertArrayEquals(new byte[] {100, 100, 100}, decode(encoded(deep, "png"), "3x1x1"));
  }

  @Test
  void coloursBecomeLuma() throws Exception {
    var pixels = decode(encoded(plain(2, 2, TEAL), "png"), "1x2x2");
    assertEquals(Math.round(0.299 * 10 + 0.587 * 200 + 0.114 * 150), pixels[0] & 0xFF);
  }

  @Test
  void whatIsTransparentLiesOnWhite() throws Exception {
    var clear = new BufferedImage(2, 2, BufferedImage.TYPE_INT_ARGB);
    assertEquals(255, decode(encoded(clear, "png"), "1x2x2")[0] & 0xFF);
    clear.setRGB(0, 0, 0x80000000);
    assertEquals(127, decode(encoded(clear, "png"), "1x2x2")[0] & 0xFF);
  }

  @Test
  void anImageOfTheShapeIsNotTouched() throws Exception {
    var image = new BufferedImage(7, 5, BufferedImage.TYPE_3BYTE_BGR);
    var random = new Random(1);
    for (int i = 0; i < 35; i++) {
      image.setRGB(i % 7, i / 7, random.nextInt() | 0xFF000000);
    }
    var pixels = decode(encoded(image, "png"), "3x5x7");
    for (int i = 0; i < 35; i++) {
      int rgb = image.getRGB(i % 7, i / 7);
      assertEquals(rgb >> 16 & 0xFF, pixels[i] & 0xFF);
      assertEquals(rgb >> 8 & 0xFF, pixels[35 + i] & 0xFF);
      assertEquals(rgb & 0xFF, pixels[70 + i] & 0xFF);
    }
  }

  @Test
  void shrinkingAveragesAllPixels() throws Exception {
    // One column in four is white: who looks at a few pixels only sees another share of white.
    var image = new BufferedImage(64, 64, BufferedImage.TYPE_3BYTE_BGR);
    for (int i = 0; i < 64 * 64; i += 4) {
      image.setRGB(i % 64, i / 64, 0xFFFFFFFF);
    }
    for (byte pixel : decode(encoded(image, "png"), "1x8x8")) {
      assertEquals(255 / 4.0, pixel & 0xFF, 8);
    }
  }

  @Test
  void whatIsWideIsCutOrPadded() throws Exception {
    var wide = encoded(halves(5, 40, 20, Color.BLACK, Color.WHITE), "png");
    var crop = decode(wide, "1x20x20");
    assertEquals(0, at(crop, 0, 0, 9, 20));
    assertEquals(255, at(crop, 0, 0, 10, 20));
    var pad = new ImageDecoder(ImageShape.parse("1x20x20"), Resize.PAD).decode(wide);
    assertEquals(0, at(pad, 0, 10, 0, 20));
    assertEquals(255, at(pad, 0, 10, 19, 20));
    assertEquals(0, at(pad, 0, 0, 2, 20), "the border goes on");

    var tall = new BufferedImage(10, 30, BufferedImage.TYPE_3BYTE_BGR);
    for (int x = 0; x < 10; x++) {
      tall.setRGB(x, 0, 0xFFFFFFFF);
    }
    assertEquals(0, at(decode(encoded(tall, "png"), "1x10x10"), 0, 0, 0, 10), "cut off");
    var padded =
        new ImageDecoder(ImageShape.parse("1x10x10"), Resize.PAD).decode(encoded(tall, "png"));
    assertTrue(at(padded, 0, 0, 5, 10) > 50);
  }

  @Test
  void whatIsNoImageIsNamed() {
    assertEquals("is empty", fault(new byte[0]));
    assertEquals("is of no image format that is known", fault("hello".getBytes(US_ASCII)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"png", "jpg", "gif", "bmp", "tiff"})
  void aTruncatedImageIsFound(String format) {
    var image = new BufferedImage(100, 100, BufferedImage.TYPE_3BYTE_BGR);
    var random = new Random(1);
    for (int i = 0; i < 10_000; i++) {
      image.setRGB(i % 100, i / 100, random.nextInt());
    }
    var whole = encoded(image, format);
    var fault = fault(Arrays.copyOf(whole, whole.length / 2));
    assertTrue(fault.startsWith("is truncated") || fault.startsWith("is damaged"), fault);
  }

  @Test
  void damagedBytesNeverCrash() {
    var random = new Random(1);
    var image = plain(40, 40, TEAL);
    for (var format : new String[] {"png", "jpg", "gif", "bmp", "tiff"}) {
      var whole = encoded(image, format);
      for (int i = 0; i < 100; i++) {
        var damaged = whole.clone();
        for (int j = 0; j < 8; j++) {
          damaged[random.nextInt(Math.min(600, damaged.length))] = (byte) random.nextInt();
        }
        try {
          assertEquals(256, decode(damaged, "1x16x16").length);
        } catch (BadImageException e) {
          assertTrue(String.valueOf(e.getMessage()).matches("(?s)(is|has|cannot) .*"));
        }
      }
    }
  }

  @Test
  void aGiantIsRefusedBeforeItIsDecoded() {
    var png = encoded(plain(8, 8, TEAL), "png");
    var header = ByteBuffer.wrap(png);
    header.putInt(16, 60_000).putInt(20, 50_000);
    var crc = new CRC32();
    crc.update(png, 12, 17);
    header.putInt(29, (int) crc.getValue());
    assertEquals("has 60000 x 50000 pixels, more than 100 million", fault(png));
  }

  @Test
  void shapesOfOtherChannelsAreRefused() {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new ImageDecoder(new ImageShape(2, 8, 8), Resize.CROP));
    assertEquals(
        "images are decoded to 1 channel (grey) or 3 (red, green, blue), but the shape is 2x8x8",
        e.getMessage());
  }

  private static String fault(byte[] encoded) {
    var e = assertThrows(BadImageException.class, () -> decode(encoded, "1x8x8"));
    return String.valueOf(e.getMessage());
  }

  private static byte[] decode(byte[] encoded, String shape) throws BadImageException {
    return new ImageDecoder(ImageShape.parse(shape), Resize.CROP).decode(encoded);
  }

  private static int at(byte[] pixels, int channel, int y, int x, int side) {
    return pixels[(channel * side + y) * side + x] & 0xFF;
  }
}
