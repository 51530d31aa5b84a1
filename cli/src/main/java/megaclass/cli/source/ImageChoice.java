// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.source;

import java.util.Locale;
import megaclass.cli.settings.ImageSettings;
import megaclass.cli.settings.Settings;
import megaclass.data.ImageShape;
import megaclass.formats.BadImages;
import megaclass.formats.ImageCatalogue;
import megaclass.formats.ImageDecoder;
import megaclass.formats.ImageSource;
import megaclass.formats.Resize;

/**
 * How images become examples.
 *
 * @param shape as text; empty when none was given
 */
public record ImageChoice(String shape, Resize resize, BadImages badImages, int classDepth) {
  /** Nothing was said about images. */
  static final ImageChoice NONE = new ImageChoice("", Resize.CROP, BadImages.SKIP, 1);

  /** What the settings say. */
  public static ImageChoice of(Settings settings) {
    return new ImageChoice(
        settings.get(ImageSettings.IMAGE),
        settings.get(ImageSettings.IMAGE_RESIZE),
        settings.get(ImageSettings.BAD_IMAGES),
        settings.get(ImageSettings.CLASS_DEPTH));
  }

  ImageChoice withShape(String shape) {
    return new ImageChoice(shape, resize, badImages, classDepth);
  }

  /** The images of a catalogue, decoded as was chosen. */
  ImageSource source(ImageCatalogue catalogue) {
    var decoder = new ImageDecoder(ImageShape.parse(shape), resize);
    return new ImageSource(catalogue, decoder, badImages);
  }

  @Override
  public String toString() {
    return "%s, %s, %s, depth %d"
        .formatted(shape, resize, badImages, classDepth)
        .toLowerCase(Locale.ROOT);
  }
}
