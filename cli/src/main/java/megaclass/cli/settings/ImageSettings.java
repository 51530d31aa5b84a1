// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

import static megaclass.cli.settings.Question.FROM_WHAT;

import java.util.List;
import megaclass.cli.settings.Setting.Form;
import megaclass.data.ImageShape;
import megaclass.formats.BadImages;
import megaclass.formats.Resize;
import megaclass.internal.Check;
import megaclass.internal.SpecText;

/** Settings that say how images become examples. */
public final class ImageSettings {
  public static final Setting<String> IMAGE =
      Setting.text("data.image", "--image")
          .in(FROM_WHAT, "CxHxW")
          .allowed("channels (1 or 3), height and width, as in 1x28x28")
          .about("the shape that images are brought to; InsightFace's are 3x112x112 without it")
          .checked(text -> ImageShape.parse(text.isEmpty() ? "1x1x1" : text));

  public static final Setting<Resize> IMAGE_RESIZE =
      Setting.of("data.image_resize", "--image-resize", Form.TEXT, ImageSettings::resize)
          .in(FROM_WHAT, "HOW")
          .by("crop")
          .allowed("crop, pad")
          .about("how images of other proportions come to it: cut off, or filled up")
          .writtenWith(SpecText::text);

  public static final Setting<BadImages> BAD_IMAGES =
      Setting.of("data.bad_images", "--bad-images", Form.TEXT, ImageSettings::badImages)
          .in(FROM_WHAT, "WHAT")
          .by("skip")
          .allowed("skip, refuse")
          .about("what to do about an image that cannot be read: leave it out, or stop")
          .writtenWith(SpecText::text);

  public static final Setting<Integer> CLASS_DEPTH =
      Setting.integer("data.class_depth", "--class-depth")
          .in(FROM_WHAT, "NUMBER")
          .by("1")
          .allowed("[1, 40]")
          .about("how many folders name the class of an image in a folder")
          .checked(depth -> Check.inRange("classDepth", depth, 1, 40));

  /** All of them. */
  public static final List<Setting<?>> ALL = List.of(IMAGE, IMAGE_RESIZE, BAD_IMAGES, CLASS_DEPTH);

  private ImageSettings() {}

  private static Resize resize(String text) {
    return choice(text, Resize.values(), "crop or pad");
  }

  private static BadImages badImages(String text) {
    return choice(text, BadImages.values(), "skip or refuse");
  }

  private static <E extends Enum<E>> E choice(String text, E[] choices, String allowed) {
    for (var choice : choices) {
      if (SpecText.text(choice).equals(text)) {
        return choice;
      }
    }
    throw new IllegalArgumentException("must be " + allowed + ", but was \"" + text + "\"");
  }
}
