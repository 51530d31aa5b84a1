// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.report;

import java.util.Base64;

/**
 * An example that is an image.
 *
 * @param png the image as a PNG file, in base 64
 * @param width in pixels
 * @param height in pixels
 */
public record Picture(String png, int width, int height) {
  /** Smaller images are shown larger, each pixel as a square. */
  private static final int MIN_SIDE = 96;

  /** An image. */
  public static Picture of(byte[] png, int width, int height) {
    return new Picture(Base64.getEncoder().encodeToString(png), width, height);
  }

  /**
   * The image in a page, whole, so that nothing is loaded from elsewhere.
   *
   * @param name what the example is called
   */
  String html(String name) {
    int scale = Math.max(1, MIN_SIDE / Math.max(width, height));
    String text = Page.escape(name);
    return "<img src=\"data:image/png;base64,%s\" width=\"%d\" height=\"%d\" alt=\"%s\" title=\"%s\">"
        .formatted(png, scale * width, scale * height, text, text);
  }
}
