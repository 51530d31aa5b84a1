// SPDX-License-Identifier: Apache-2.0
package megaclass.image;

/**
 * Where the pixels of a warped image lie in the image it is made from: whole numbers of 2^-33
 * pixels, so that every machine finds the same place and quarter turns hit pixels exactly.
 *
 * <p>Pixel (x, y) comes from (startX + xByX * x + xByY * y, startY + yByX * x + yByY * y).
 */
record Affine(long startX, long xByX, long xByY, long startY, long yByX, long yByY) {
  static final int FRACTION_BITS = 33;
  private static final double ONE = 1L << FRACTION_BITS;

  /**
   * An image that is mirrored, turned and scaled around its middle, and then shifted.
   *
   * @param degrees turned clockwise
   * @param factor above 1: larger
   * @param right shift in pixels
   * @param down shift in pixels
   */
  record Motion(double degrees, double factor, double right, double down, boolean mirrored) {}

  static Affine of(Motion motion, int height, int width) {
    double radians = StrictMath.toRadians(motion.degrees());
    int side = motion.mirrored() ? -1 : 1;
    long cos = fixed(StrictMath.cos(radians) / motion.factor());
    long sin = fixed(StrictMath.sin(radians) / motion.factor());
    long xByX = side * cos;
    long xByY = side * sin;
    // The middle of the warped image less the shift comes from the middle of the image.
    double toX = (width - 1) / 2.0 + motion.right();
    double toY = (height - 1) / 2.0 + motion.down();
    long startX = fixed((width - 1) / 2.0) - Math.round(xByX * toX + xByY * toY);
    long startY = fixed((height - 1) / 2.0) - Math.round(-sin * toX + cos * toY);
    return new Affine(startX, xByX, xByY, startY, -sin, cos);
  }

  private static long fixed(double pixels) {
    return Math.round(pixels * ONE);
  }

  /**
   * Samples a channel bilinearly; what lies outside repeats its border.
   *
   * @param from (height, width)
   * @param into (height, width)
   */
  void sample(float[] from, int height, int width, float[] into) {
    for (int y = 0; y < height; y++) {
      long sourceX = startX + xByY * y;
      long sourceY = startY + yByY * y;
      for (int x = 0; x < width; x++) {
        into[y * width + x] = at(from, sourceX, sourceY, height, width);
        sourceX += xByX;
        sourceY += yByX;
      }
    }
  }

  private static float at(float[] from, long x, long y, int height, int width) {
    long column = x >> FRACTION_BITS;
    long row = y >> FRACTION_BITS;
    int left = Math.clamp(column, 0, width - 1);
    int right = Math.clamp(column + 1, 0, width - 1);
    int top = Math.clamp(row, 0, height - 1) * width;
    int bottom = Math.clamp(row + 1, 0, height - 1) * width;
    float alongX = fraction(x);
    float alongY = fraction(y);
    float above = from[top + left] + alongX * (from[top + right] - from[top + left]);
    float below = from[bottom + left] + alongX * (from[bottom + right] - from[bottom + left]);
    return above + alongY * (below - above);
  }

  /** In [0, 1), a multiple of 2^-16. */
  private static float fraction(long place) {
    return ((int) (place >>> (FRACTION_BITS - 16)) & 0xFFFF) * 0x1p-16f;
  }
}
