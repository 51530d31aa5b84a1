// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import java.util.regex.Pattern;
import megaclass.internal.Check;

/**
 * The shape that all images of a set have. Pixels lie channel after channel, each row after row:
 * (C, H, W). Its text is {@code CxHxW}, as in {@code 3x112x112}.
 *
 * @param channels C, in [1, 16]: 1 is grey, 3 is red, green, blue
 * @param height H in pixels, in [1, 4096]
 * @param width W in pixels, in [1, 4096]
 */
public record ImageShape(int channels, int height, int width) {
  private static final Pattern TEXT = Pattern.compile("(\\d{1,4})x(\\d{1,4})x(\\d{1,4})");

  /** Checks the ranges. */
  public ImageShape {
    Check.inRange("channels of an image", channels, 1, 16);
    Check.inRange("height of an image (pixels)", height, 1, 4096);
    Check.inRange("width of an image (pixels)", width, 1, 4096);
  }

  /**
   * Reads the text of a shape.
   *
   * @throws IllegalArgumentException with what is expected, if it is none
   */
  public static ImageShape parse(String text) {
    var matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "the shape of an image must be CHANNELSxHEIGHTxWIDTH, as in 1x28x28, but was \""
              + text
              + "\"");
    }
    return new ImageShape(
        Integer.parseInt(matcher.group(1)),
        Integer.parseInt(matcher.group(2)),
        Integer.parseInt(matcher.group(3)));
  }

  /** Numbers of an image, each one byte: C * H * W. */
  public int size() {
    return channels * height * width;
  }

  /** Refuses pixels that do not fill an image. */
  void requirePixels(byte[] pixels, long example) {
    if (pixels.length != size()) {
      throw new IllegalArgumentException(
          "image %d has %d bytes, but an image of %s has %d"
              .formatted(example, pixels.length, this, size()));
    }
  }

  @Override
  public String toString() {
    return channels + "x" + height + "x" + width;
  }
}
