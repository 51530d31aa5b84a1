// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.nio.file.Path;
import megaclass.internal.InvalidFileException;

/**
 * A part of a page that a command writes, between two lines that mark it.
 *
 * @param begin the line before it
 * @param end the line behind it
 */
record MarkedText(String begin, String end) {
  /**
   * The page with another part.
   *
   * @param page names it in messages
   * @param text of the page
   * @param part whole lines
   * @throws InvalidFileException when the page does not have both marks
   */
  String replaced(Path page, String text, String part) {
    int from = text.indexOf(begin);
    int to = text.indexOf(end);
    if (from < 0 || to < from) {
      throw new InvalidFileException(page, "expected the lines%n%s%n%s".formatted(begin, end));
    }
    return text.substring(0, from + begin.length()) + "\n" + part + text.substring(to);
  }
}
