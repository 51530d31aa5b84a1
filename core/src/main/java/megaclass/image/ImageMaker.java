// SPDX-License-Identifier: Apache-2.0
package megaclass.image;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import megaclass.data.ImageShape;
import megaclass.internal.Hash;

/**
 * Makes the input of a network from the pixels of one image after another: (p - 127.5) / 127.5 for
 * a pixel p of an image that is not augmented. Not thread-safe: it owns the memory it works in.
 */
final class ImageMaker {
  // What is drawn for each image.
  private static final int RIGHT = 1;
  private static final int DOWN = 2;
  private static final int SCALE = 3;
  private static final int ROTATE = 4;
  private static final int FLIP = 5;
  private static final int BLUR = 6;
  private static final int NOISE = 7;
  private static final int NOISE_VALUES = 8;
  private static final int ERASE = 9;
  private static final int ERASE_HEIGHT = 10;
  private static final int ERASE_WIDTH = 11;
  private static final int ERASE_TOP = 12;
  private static final int ERASE_LEFT = 13;
  private static final int ERASE_VALUE = 14;

  private static final double SMALLEST_SIDE = 0.1;
  private static final double LARGEST_SIDE = 0.4;

  /** Standard deviation of the sum of four numbers, each uniform in [0, 65535]. */
  private static final float SUM_DEVIATION = (float) (65536 / Math.sqrt(3));

  private final ImageShape shape;
  private final Augmentation augmentation;
  private final byte[] pixels;
  private final float[] values;
  private final float[] plane;
  private final float[] scratch;

  ImageMaker(ImageShape shape, Augmentation augmentation) {
    this.shape = shape;
    this.augmentation = augmentation;
    this.pixels = new byte[shape.size()];
    this.values = new float[shape.size()];
    this.plane = new float[shape.height() * shape.width()];
    this.scratch = new float[plane.length];
  }

  /**
   * Makes an image as it is.
   *
   * @param source bytes; the image's (C, H, W) lie from {@code offset} on
   * @param into float32; the image's (C, H, W) go to {@code at}, counted in bytes
   */
  void plain(MemorySegment source, long offset, MemorySegment into, long at) {
    load(source, offset);
    store(into, at);
  }

  /**
   * Makes an augmented image.
   *
   * @param source bytes; the image's (C, H, W) lie from {@code offset} on
   * @param key random bits of this image in this step
   * @param into float32; the image's (C, H, W) go to {@code at}, counted in bytes
   */
  void augmented(MemorySegment source, long offset, long key, MemorySegment into, long at) {
    load(source, offset);
    warp(key);
    double blur = augmentation.blur() * draw(key, BLUR);
    if (blur > 0) {
      blur(blur);
    }
    double noise = augmentation.noise() * draw(key, NOISE);
    if (noise > 0) {
      addNoise((float) (255 * noise), Hash.key(key, NOISE_VALUES));
    }
    if (draw(key, ERASE) < augmentation.erase()) {
      erase(key);
    }
    store(into, at);
  }

  private void load(MemorySegment source, long offset) {
    MemorySegment.copy(source, ValueLayout.JAVA_BYTE, offset, pixels, 0, pixels.length);
    for (int i = 0; i < pixels.length; i++) {
      values[i] = pixels[i] & 0xFF;
    }
  }

  private void store(MemorySegment into, long at) {
    for (int i = 0; i < values.length; i++) {
      values[i] = (Math.clamp(values[i], 0f, 255f) - 127.5f) / 127.5f;
    }
    MemorySegment.copy(values, 0, into, ValueLayout.JAVA_FLOAT, at, values.length);
  }

  private void warp(long key) {
    boolean mirrored = draw(key, FLIP) < augmentation.flip();
    if (augmentation.shift() == 0
        && augmentation.scale() == 0
        && augmentation.rotate() == 0
        && !mirrored) {
      return;
    }
    double logFactor = StrictMath.log1p(augmentation.scale()) * toEitherSide(key, SCALE);
    var motion =
        new Affine.Motion(
            augmentation.rotate() * toEitherSide(key, ROTATE),
            StrictMath.exp(logFactor),
            augmentation.shift() * shape.width() * toEitherSide(key, RIGHT),
            augmentation.shift() * shape.height() * toEitherSide(key, DOWN),
            mirrored);
    var affine = Affine.of(motion, shape.height(), shape.width());
    for (int channel = 0; channel < shape.channels(); channel++) {
      System.arraycopy(values, channel * plane.length, plane, 0, plane.length);
      affine.sample(plane, shape.height(), shape.width(), scratch);
      System.arraycopy(scratch, 0, values, channel * plane.length, plane.length);
    }
  }

  /** Along rows, then along columns; what lies outside repeats the border. */
  private void blur(double deviation) {
    int radius = (int) StrictMath.ceil(3 * deviation);
    var weights = new float[2 * radius + 1];
    double sum = 0;
    for (int i = -radius; i <= radius; i++) {
      sum += StrictMath.exp(-0.5 * i * i / (deviation * deviation));
    }
    for (int i = -radius; i <= radius; i++) {
      weights[i + radius] = (float) (StrictMath.exp(-0.5 * i * i / (deviation * deviation)) / sum);
    }
    for (int channel = 0; channel < shape.channels(); channel++) {
      int at = channel * plane.length;
      blurRows(at, weights, radius);
      blurColumns(at, weights, radius);
    }
  }

  /** From a channel of the values to scratch. */
  private void blurRows(int at, float[] weights, int radius) {
    int width = shape.width();
    var bordered = new float[width + 2 * radius];
    for (int y = 0; y < shape.height(); y++) {
      int row = at + y * width;
      Arrays.fill(bordered, 0, radius, values[row]);
      System.arraycopy(values, row, bordered, radius, width);
      Arrays.fill(bordered, radius + width, bordered.length, values[row + width - 1]);
      Arrays.fill(scratch, y * width, (y + 1) * width, 0f);
      for (int i = 0; i < weights.length; i++) {
        float weight = weights[i];
        for (int x = 0; x < width; x++) {
          scratch[y * width + x] += weight * bordered[x + i];
        }
      }
    }
  }

  /** From scratch to a channel of the values. */
  private void blurColumns(int at, float[] weights, int radius) {
    int width = shape.width();
    Arrays.fill(values, at, at + plane.length, 0f);
    for (int y = 0; y < shape.height(); y++) {
      int row = at + y * width;
      for (int i = 0; i < weights.length; i++) {
        int from = Math.clamp(y + i - radius, 0, shape.height() - 1) * width;
        float weight = weights[i];
        for (int x = 0; x < width; x++) {
          values[row + x] += weight * scratch[from + x];
        }
      }
    }
  }

  private void addNoise(float deviation, long key) {
    float unit = deviation / SUM_DEVIATION;
    for (int i = 0; i < values.length; i++) {
      long bits = Hash.mix(key + i);
      int sum =
          (int) (bits & 0xFFFF)
              + (int) (bits >>> 16 & 0xFFFF)
              + (int) (bits >>> 32 & 0xFFFF)
              + (int) (bits >>> 48);
      values[i] += unit * (sum - 2 * 65535);
    }
  }

  private void erase(long key) {
    int height = side(key, ERASE_HEIGHT, shape.height());
    int width = side(key, ERASE_WIDTH, shape.width());
    int top = (int) (draw(key, ERASE_TOP) * (shape.height() - height + 1));
    int left = (int) (draw(key, ERASE_LEFT) * (shape.width() - width + 1));
    for (int channel = 0; channel < shape.channels(); channel++) {
      long bits = Hash.key(key, ERASE_VALUE, channel);
      for (int y = top; y < top + height; y++) {
        int from = channel * plane.length + y * shape.width() + left;
        Arrays.fill(values, from, from + width, Hash.below(256, bits));
      }
    }
  }

  private static int side(long key, int what, int whole) {
    double share = SMALLEST_SIDE + (LARGEST_SIDE - SMALLEST_SIDE) * draw(key, what);
    return Math.max(1, (int) Math.round(share * whole));
  }

  /** In [0, 1). */
  private static double draw(long key, int what) {
    return Hash.unit(Hash.key(key, what));
  }

  /** In [-1, 1). */
  private static double toEitherSide(long key, int what) {
    return 2 * draw(key, what) - 1;
  }
}
