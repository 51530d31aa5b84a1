// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.ImageIO;
import megaclass.data.ImageShape;

/** Pixels of a data set as a PNG file, for people to look at. */
public final class PngImage {
  private PngImage() {}

  /**
   * Encodes an image, without loss.
   *
   * @param pixels (C, H, W) bytes; three channels are red, green, blue; of any other number the
   *     first is shown, as grey
   */
  public static byte[] encode(ImageShape shape, byte[] pixels) {
    boolean coloured = shape.channels() == 3;
    int plane = shape.height() * shape.width();
    var image =
        new BufferedImage(
            shape.width(),
            shape.height(),
            coloured ? BufferedImage.TYPE_3BYTE_BGR : BufferedImage.TYPE_BYTE_GRAY);
    var raster = image.getRaster();
    for (int channel = 0; channel < (coloured ? 3 : 1); channel++) {
      for (int i = 0; i < plane; i++) {
        int value = pixels[channel * plane + i] & 0xFF;
        raster.setSample(i % shape.width(), i / shape.width(), channel, value);
      }
    }
    var file = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot encode an image", e);
    }
    return file.toByteArray();
  }
}
