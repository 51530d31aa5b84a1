// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import megaclass.internal.InvalidFileException;

/** Reads small lists whole: UTF-8 lines of fields between tabs, plain or named {@code .gz}. */
public final class TabbedLines {
  private TabbedLines() {}

  /**
   * A line that is not empty.
   *
   * @param number from 1, empty lines counted
   * @param fields at least one; they may be empty
   */
  public record Line(Path file, long number, List<String> fields) {
    /** A fault of this line: a sentence that starts with its file and number. */
    public InvalidFileException fault(String problem) {
      return new InvalidFileException(file, number, problem);
    }

    /** The start of the line in quotes, for a message, its tabs spelt out. */
    public String excerpt() {
      byte[] bytes = String.join("<TAB>", fields).getBytes(UTF_8);
      return Utf8.excerpt(bytes, 0, bytes.length);
    }
  }

  /**
   * Reads all lines.
   *
   * @throws InvalidFileException when the file cannot be read or is not UTF-8
   */
  public static List<Line> read(Path file) {
    var found = new ArrayList<Line>();
    try (var lines = new TextLines(file)) {
      while (lines.next()) {
        if (!lines.isEmpty()) {
          var text = new String(lines.copy(lines.from(), lines.to()), UTF_8);
          found.add(new Line(file, lines.number(), List.of(text.split("\t", -1))));
        }
      }
    }
    return found;
  }
}
