// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

/**
 * Where examples come from before they are a {@link Dataset}: a file in some format, a generator.
 * Implement it to bring data of your own; {@link Conversion} writes it to {@code .mcd} files.
 */
public interface ExampleSource {
  /** What the features are; decides which method of the sink is called. */
  FeatureKind kind();

  /** DENSE: floats a row. Otherwise 0. */
  int featureDim();

  /** IMAGE: the shape of every image. */
  default ImageShape imageShape() {
    throw new IllegalStateException(description() + " holds " + kind().inWords() + ", not images");
  }

  /** Name of the file, or how the examples are made; becomes part of the provenance. */
  String description();

  /**
   * Names classes before any example does, so that they get the ids 0, 1, ... in this order.
   * Without it the order of first appearance decides.
   */
  default void addLabels(Labels.Builder into) {}

  /**
   * Hands over all examples in order. May be called again and must then give the same examples.
   *
   * @throws java.io.UncheckedIOException with one sentence that names file and line, if an example
   *     cannot be used
   */
  void forEach(Sink sink);

  /** Takes examples. The arrays are the source's: they are read during the call only. */
  interface Sink {
    /**
     * One text.
     *
     * @param utf8 valid UTF-8
     * @param labels one or more labels in valid UTF-8, not empty
     */
    void text(byte[] utf8, byte[]... labels);

    /**
     * One dense row.
     *
     * @param features (featureDim), finite
     * @param labels one or more labels in valid UTF-8, not empty
     */
    void row(float[] features, byte[]... labels);

    /**
     * One image.
     *
     * @param pixels (C, H, W) bytes from 0, black, to 255
     * @param name where it comes from, such as its path below the folder of the set; may be empty
     * @param labels one or more labels in valid UTF-8, not empty
     */
    void image(byte[] pixels, String name, byte[]... labels);
  }
}
