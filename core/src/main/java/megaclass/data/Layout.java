// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import megaclass.internal.Hash;
import org.jspecify.annotations.Nullable;

/**
 * What the features of all examples of a set have in common.
 *
 * @param featureDim DENSE: floats a row; otherwise 0
 * @param image IMAGE: the shape of each; otherwise absent
 */
record Layout(FeatureKind kind, int featureDim, @Nullable ImageShape image) {
  static final Layout TEXT = new Layout(FeatureKind.TEXT, 0, null);

  static Layout dense(int featureDim) {
    return new Layout(FeatureKind.DENSE, featureDim, null);
  }

  static Layout images(ImageShape shape) {
    return new Layout(FeatureKind.IMAGE, 0, shape);
  }

  static Layout of(ExampleSource source) {
    return switch (source.kind()) {
      case DENSE -> dense(source.featureDim());
      case TEXT -> TEXT;
      case IMAGE -> images(source.imageShape());
    };
  }

  /** Bytes of the features of an example; TEXT: 0, as each has its own length. */
  long exampleBytes() {
    return image == null ? (long) featureDim * Float.BYTES : image.size();
  }

  /** Differs where equal bytes mean something else. */
  long hash() {
    return image == null ? featureDim : Hash.key(image.channels(), image.height(), image.width());
  }

  ImageShape imageShape() {
    if (image == null) {
      throw new IllegalStateException(
          "the features of this data set are " + kind.inWords() + ", not images");
    }
    return image;
  }
}
