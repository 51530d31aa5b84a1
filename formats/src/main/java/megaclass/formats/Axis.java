// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

/**
 * How the pixels of one axis of an image become those of another number: each is the mean of those
 * around its place, weighted by a triangle that is one pixel wide to either side, or as wide as a
 * pixel of the result when the image shrinks (the "bilinear" of Pillow). Beyond the ends goes on
 * what stands there.
 */
final class Axis {
  /** (target): the first pixel that counts. */
  private final int[] first;

  /** (target): weights of that pixel and those after it; they sum to 1. */
  private final float[][] weights;

  private Axis(int[] first, float[][] weights) {
    this.first = first;
    this.weights = weights;
  }

  /**
   * The middle of an axis.
   *
   * @param size pixels there are
   * @param target pixels wanted
   * @param step pixels there are for each wanted
   */
  static Axis of(int size, int target, double step) {
    double start = (size - target * step) / 2;
    double support = Math.max(1, step);
    var first = new int[target];
    var weights = new float[target][];
    for (int i = 0; i < target; i++) {
      double centre = Math.clamp(start + (i + 0.5) * step, 0, size);
      first[i] = Math.max(0, (int) Math.floor(centre - support));
      int to = Math.min(size, (int) Math.ceil(centre + support));
      weights[i] = new float[to - first[i]];
      double sum = 0;
      for (int j = first[i]; j < to; j++) {
        sum += weight(j, centre, support);
      }
      for (int j = first[i]; j < to; j++) {
        weights[i][j - first[i]] = (float) (weight(j, centre, support) / sum);
      }
    }
    return new Axis(first, weights);
  }

  private static double weight(int pixel, double centre, double support) {
    return Math.max(0, 1 - Math.abs(pixel + 0.5 - centre) / support);
  }

  /** The first pixel that pixel {@code i} of the result needs. */
  int from(int i) {
    return first[i];
  }

  /** The pixel after the last that pixel {@code i} of the result needs. */
  int to(int i) {
    return first[i] + weights[i].length;
  }

  /** One pixel of the result from values that stand {@code stride} apart, from {@code at} on. */
  float at(int i, float[] values, int at, int stride) {
    float sum = 0;
    int from = at + first[i] * stride;
    for (int j = 0; j < weights[i].length; j++) {
      sum += weights[i][j] * values[from + j * stride];
    }
    return sum;
  }
}
