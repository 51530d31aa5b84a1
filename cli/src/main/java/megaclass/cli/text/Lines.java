// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.text;

import java.util.ArrayList;
import java.util.List;

/** Breaks texts into lines. */
public final class Lines {
  private Lines() {}

  /** Lines of at most so many characters, broken between words; a longer word has its own line. */
  public static List<String> wrap(String text, int width) {
    var lines = new ArrayList<String>();
    var line = new StringBuilder();
    for (var word : text.split(" ")) {
      if (line.length() + 1 + word.length() > width && !line.isEmpty()) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }

  /** A text behind a word in a column of its own: {@code memory 1 GiB ...}. */
  public static String labelled(String label, String text, int width) {
    int column = 10;
    var lines = wrap(text, width - column);
    return "%-10s".formatted(label) + String.join("\n" + " ".repeat(column), lines);
  }
}
