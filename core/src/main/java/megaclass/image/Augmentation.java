// SPDX-License-Identifier: Apache-2.0
package megaclass.image;

import java.util.ArrayList;
import megaclass.internal.Check;
import megaclass.internal.SpecText;

/**
 * How training images are varied, so that a network learns what stays the same. Each image draws
 * its own values, anew in each step. Its text is {@code none}, or {@code augment(...)} with what is
 * not 0, as in {@code augment(shift=0.1, rotate=10)}.
 *
 * <p>Shift, scale, rotation and mirroring are one sampling of the image; what lies outside repeats
 * its border. Then come blur, noise and erasing, in this order.
 *
 * @param shift largest shift as a share of width and height, in [0, 0.5]
 * @param scale largest change of size, in [0, 1]: factors lie between 1 / (1 + scale) and 1 + scale
 * @param rotate largest rotation to either side, in degrees, in [0, 180]
 * @param flip probability of left and right changing places, in [0, 1]
 * @param noise largest standard deviation of normal noise as a share of black to white, in [0, 1]
 * @param blur largest standard deviation of a Gaussian blur, in pixels, in [0, 4]
 * @param erase probability that a rectangle is painted over, in [0, 1]: each side of it is a tenth
 *     to four tenths of the image's (random erasing, Zhong et al. 2020)
 */
public record Augmentation(
    double shift,
    double scale,
    double rotate,
    double flip,
    double noise,
    double blur,
    double erase) {
  /** Images as they are. */
  public static final Augmentation NONE = new Augmentation(0, 0, 0, 0, 0, 0, 0);

  private static final SpecText<Augmentation> FORMS =
      SpecText.<Augmentation>of("augmentation")
          .form("none", "none", _ -> NONE)
          .form(
              "augment(shift=0, scale=0, rotate=0, flip=0, noise=0, blur=0, erase=0)",
              "augment(shift=0.1, scale=0.1, rotate=10)",
              a ->
                  new Augmentation(
                      a.number("shift"),
                      a.number("scale"),
                      a.number("rotate"),
                      a.number("flip"),
                      a.number("noise"),
                      a.number("blur"),
                      a.number("erase")));

  /** Checks the ranges. */
  public Augmentation {
    Check.inRange("shift", shift, 0, 0.5);
    Check.inRange("scale", scale, 0, 1);
    Check.inRange("rotate (degrees)", rotate, 0, 180);
    Check.inRange("flip", flip, 0, 1);
    Check.inRange("noise", noise, 0, 1);
    Check.inRange("blur (pixels)", blur, 0, 4);
    Check.inRange("erase", erase, 0, 1);
  }

  /**
   * Reads the text of an augmentation.
   *
   * @throws IllegalArgumentException with what is wrong and the forms to choose from
   */
  public static Augmentation parse(String text) {
    return FORMS.parse(text);
  }

  @Override
  public String toString() {
    var given = new ArrayList<String>();
    add("shift", shift, given);
    add("scale", scale, given);
    add("rotate", rotate, given);
    add("flip", flip, given);
    add("noise", noise, given);
    add("blur", blur, given);
    add("erase", erase, given);
    return given.isEmpty() ? "none" : "augment(" + String.join(", ", given) + ")";
  }

  private static void add(String name, double value, ArrayList<String> into) {
    if (value != 0) {
      into.add(name + "=" + SpecText.text(value));
    }
  }
}
