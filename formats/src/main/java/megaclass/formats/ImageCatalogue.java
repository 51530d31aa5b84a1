// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import java.nio.file.Path;
import java.util.function.Consumer;

/** A place that holds images and knows their classes. */
public interface ImageCatalogue {
  /** The folder or file. */
  Path path();

  /**
   * Hands over all images in order. May be called again and must then give the same ones.
   *
   * @throws java.io.UncheckedIOException with one sentence that names the place, if it does not
   *     hold what it should
   */
  void forEach(Consumer<EncodedImage> into);
}
