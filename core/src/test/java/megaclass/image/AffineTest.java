// SPDX-License-Identifier: Apache-2.0
package megaclass.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class AffineTest {
  private static final int SIDE = 5;

  @Test
  void noMotionReproducesTheImage() {
    assertArrayEquals(image(3, 7), sampled(image(3, 7), 3, 7, motion(0, 1, 0, 0, false)));
  }

  @Test
  void aQuarterTurnIsExact() {
    var from = image(SIDE, SIDE);
    var turned = sampled(from, SIDE, SIDE, motion(90, 1, 0, 0, false));
    for (int y = 0; y < SIDE; y++) {
      for (int x = 0; x < SIDE; x++) {
        // Clockwise: the upper left corner goes to the upper right.
        assertEquals(from[y * SIDE + x], turned[x * SIDE + SIDE - 1 - y]);
      }
    }
    var back = from;
    for (int i = 0; i < 4; i++) {
      back = sampled(back, SIDE, SIDE, motion(90, 1, 0, 0, false));
    }
    assertArrayEquals(from, back);
    assertArrayEquals(
        turned, sampled(from, SIDE, SIDE, motion(-270, 1, 0, 0, false)), "the same place");
  }

  @Test
  void aHalfTurnOfAnOblongImageIsExact() {
    var from = image(4, 7);
    var turned = sampled(from, 4, 7, motion(180, 1, 0, 0, false));
    for (int i = 0; i < from.length; i++) {
      assertEquals(from[i], turned[from.length - 1 - i]);
    }
  }

  @Test
  void mirroringExchangesLeftAndRight() {
    var from = image(2, 3);
    var mirrored = sampled(from, 2, 3, motion(0, 1, 0, 0, true));
    assertArrayEquals(new float[] {from[2], from[1], from[0], from[5], from[4], from[3]}, mirrored);
  }

  @Test
  void aShiftByWholePixelsMovesThemAndRepeatsTheBorder() {
    var from = new float[] {1, 2, 3, 4, 5, 6};
    assertArrayEquals(
        new float[] {1, 1, 2, 4, 4, 5}, sampled(from, 2, 3, motion(0, 1, 1, 0, false)));
    assertArrayEquals(
        new float[] {4, 5, 6, 4, 5, 6}, sampled(from, 2, 3, motion(0, 1, 0, -1, false)));
  }

  @Test
  void aFactorOfThreeEnlargesAroundTheMiddle() {
    var from = new float[] {0, 9, 0};
    assertArrayEquals(new float[] {6, 9, 6}, sampled(from, 1, 3, motion(0, 3, 0, 0, false)), 1e-3f);
  }

  /** The definition, in doubles: rotate, scale and mirror around the middle, then shift. */
  @Property
  void everyMotionIsTheDefinition(
      @ForAll @DoubleRange(min = -180, max = 180) double degrees,
      @ForAll @DoubleRange(min = 0.5, max = 2) double factor,
      @ForAll @DoubleRange(min = -3, max = 3) double right,
      @ForAll @IntRange(min = 1, max = 9) int height,
      @ForAll @IntRange(min = 1, max = 9) int width) {
    boolean mirrored = width % 2 == 0;
    var from = image(height, width);
    var warped = sampled(from, height, width, motion(degrees, factor, right, 1, mirrored));
    double cos = Math.cos(Math.toRadians(degrees)) / factor;
    double sin = Math.sin(Math.toRadians(degrees)) / factor;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        double u = x - right - (width - 1) / 2.0;
        double v = y - 1 - (height - 1) / 2.0;
        double sourceX = (mirrored ? -1 : 1) * (cos * u + sin * v) + (width - 1) / 2.0;
        double sourceY = -sin * u + cos * v + (height - 1) / 2.0;
        double expected = bilinear(from, height, width, sourceX, sourceY);
        assertEquals(expected, warped[y * width + x], 0.02);
      }
    }
  }

  private static double bilinear(float[] from, int height, int width, double x, double y) {
    double sum = 0;
    for (int row = (int) Math.floor(y); row <= Math.floor(y) + 1; row++) {
      for (int column = (int) Math.floor(x); column <= Math.floor(x) + 1; column++) {
        double weight = (1 - Math.abs(x - column)) * (1 - Math.abs(y - row));
        int at = Math.clamp(row, 0, height - 1) * width + Math.clamp(column, 0, width - 1);
        sum += weight * from[at];
      }
    }
    return sum;
  }

  private static Affine.Motion motion(
      double degrees, double factor, double right, double down, boolean mirrored) {
    return new Affine.Motion(degrees, factor, right, down, mirrored);
  }

  private static float[] sampled(float[] from, int height, int width, Affine.Motion motion) {
    var into = new float[from.length];
    Affine.of(motion, height, width).sample(from, height, width, into);
    return into;
  }

  private static float[] image(int height, int width) {
    var random = new Random(height * 31L + width);
    var pixels = new float[height * width];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = random.nextInt(256);
    }
    return pixels;
  }
}
