// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;

/**
 * The rows of a decoded image of any kind as values from 0 to 255. What is transparent lies on
 * white. Not thread-safe.
 */
final class PixelRows {
  private final BufferedImage image;
  private final int width;
  private final boolean grey;
  private final boolean plainRgb;
  private final float perUnit;
  private int[] row;
  private final int[] alpha;

  PixelRows(BufferedImage image) {
    this.image = image;
    this.width = image.getWidth();
    var colours = image.getColorModel();
    // Its grey is kept as it is: the way over sRGB would make it lighter.
    this.grey = colours.getColorSpace().getType() == ColorSpace.TYPE_GRAY;
    this.plainRgb = image.getType() == BufferedImage.TYPE_3BYTE_BGR;
    this.perUnit = 255f / ((1 << Math.min(16, colours.getComponentSize(0))) - 1);
    this.row = new int[plainRgb ? 3 * width : width];
    this.alpha = new int[width];
  }

  /**
   * Reads one row.
   *
   * @param channels 1 for the luma of ITU-R BT.601, 3 for red, green, blue
   * @param into (channels, width)
   */
  void read(int y, int channels, float[] into) {
    if (grey) {
      readGrey(y, into);
      for (int channel = 1; channel < channels; channel++) {
        System.arraycopy(into, 0, into, channel * width, width);
      }
    } else if (plainRgb) {
      row = image.getRaster().getPixels(0, y, width, 1, row);
      for (int x = 0; x < width; x++) {
        put(row[3 * x], row[3 * x + 1], row[3 * x + 2], x, channels, into);
      }
    } else {
      row = image.getRGB(0, y, width, 1, row, 0, width);
      for (int x = 0; x < width; x++) {
        float opaque = (row[x] >>> 24) / 255f;
        float white = 255 * (1 - opaque);
        float red = white + opaque * (row[x] >> 16 & 0xFF);
        float green = white + opaque * (row[x] >> 8 & 0xFF);
        float blue = white + opaque * (row[x] & 0xFF);
        put(red, green, blue, x, channels, into);
      }
    }
  }

  private void readGrey(int y, float[] into) {
    var raster = image.getRaster();
    row = raster.getSamples(0, y, width, 1, 0, row);
    for (int x = 0; x < width; x++) {
      into[x] = row[x] * perUnit;
    }
    if (raster.getNumBands() > 1) {
      raster.getSamples(0, y, width, 1, 1, alpha);
      for (int x = 0; x < width; x++) {
        float opaque = alpha[x] * perUnit / 255;
        into[x] = 255 * (1 - opaque) + opaque * into[x];
      }
    }
  }

  private void put(float red, float green, float blue, int x, int channels, float[] into) {
    if (channels == 1) {
      into[x] = 0.299f * red + 0.587f * green + 0.114f * blue;
    } else {
      into[x] = red;
      into[width + x] = green;
      into[2 * width + x] = blue;
    }
  }
}
