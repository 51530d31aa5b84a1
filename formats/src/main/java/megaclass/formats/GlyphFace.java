// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

/** A face of a font: draws characters. Thread-safe. */
public interface GlyphFace {
  /** Name of the face; distinct among faces. */
  String name();

  /** Whether the face says that it has the character, which does not mean that it draws it. */
  boolean has(int codePoint);

  /**
   * Draws a character, ink in the middle.
   *
   * @param size side of the image in pixels
   * @return (size, size) bytes: 255 is ink, 0 is none
   */
  byte[] draw(int codePoint, int size);
}
