// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import megaclass.data.ExampleSource;

/** Draws images for tests, and gathers what a source hands over. */
final class Pictures {
  private Pictures() {}

  /** The left half in one colour, the right half in another. */
  static BufferedImage halves(int type, int width, int height, Color left, Color right) {
    var image = new BufferedImage(width, height, type);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, (x < width / 2 ? left : right).getRGB());
      }
    }
    return image;
  }

  /** A plain image in red, green, blue. */
  static BufferedImage plain(int width, int height, Color colour) {
    return halves(BufferedImage.TYPE_3BYTE_BGR, width, height, colour, colour);
  }

  static byte[] encoded(BufferedImage image, String format) {
    var bytes = new ByteArrayOutputStream();
    try {
      if (!ImageIO.write(image, format, bytes)) {
        throw new AssertionError("the JDK writes no " + format);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  static byte[] png(Color colour) {
    return encoded(plain(8, 8, colour), "png");
  }

  static Path write(Path file, byte[] bytes) {
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      return Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** An image that was handed over. */
  record Taken(String name, String label, List<Integer> pixels) {}

  static List<Taken> all(ExampleSource source) {
    var taken = new ArrayList<Taken>();
    source.forEach(
        new ExampleSource.Sink() {
          @Override
          public void text(byte[] utf8, byte[]... labels) {
            throw new AssertionError("no text");
          }

          @Override
          public void row(float[] features, byte[]... labels) {
            throw new AssertionError("no rows");
          }

          @Override
          public void image(byte[] pixels, String name, byte[]... labels) {
            var values = new ArrayList<Integer>();
            for (byte pixel : pixels) {
              values.add(pixel & 0xFF);
            }
            var label = new String(labels[0], UTF_8);
            taken.add(new Taken(name, label, values));
          }
        });
    return taken;
  }
}
