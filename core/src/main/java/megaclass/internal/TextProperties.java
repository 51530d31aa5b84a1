// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A block of {@code key = value} lines, in their order. Keys are letters, digits and {@code . _ -};
 * values are any text, in which a backslash, line feed and carriage return are written {@code \\},
 * {@code \n} and {@code \r}.
 */
public final class TextProperties {
  private static final String SEPARATOR = " = ";

  private TextProperties() {}

  /** The block as text: one line an entry, each ended by a line feed. */
  public static String format(Map<String, String> properties) {
    var text = new StringBuilder();
    properties.forEach(
        (key, value) -> {
          if (!key.matches("[A-Za-z0-9._-]+")) {
            throw new IllegalArgumentException(
                "a key must be letters, digits, '.', '_' or '-', but was \"" + key + "\"");
          }
          text.append(key).append(SEPARATOR).append(escape(value)).append('\n');
        });
    return text.toString();
  }

  /**
   * The entries of a block, in their order, unmodifiable.
   *
   * @throws IllegalArgumentException for a line that {@link #format} would not write
   */
  public static Map<String, String> parse(String text) {
    var properties = new LinkedHashMap<String, String>();
    int number = 0;
    for (var line : (Iterable<String>) text.lines()::iterator) {
      number++;
      int at = line.indexOf(SEPARATOR);
      if (at < 1) {
        throw new IllegalArgumentException(
            "line " + number + " must be \"key = value\", but was \"" + line + "\"");
      }
      var key = line.substring(0, at);
      if (properties.put(key, unescape(line.substring(at + SEPARATOR.length()))) != null) {
        throw new IllegalArgumentException("line " + number + " repeats the key \"" + key + "\"");
      }
    }
    return Collections.unmodifiableMap(properties);
  }

  private static String escape(String value) {
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
  }

  private static String unescape(String value) {
    var text = new StringBuilder();
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '\\' && i + 1 < value.length()) {
        char next = value.charAt(++i);
        text.append(next == 'n' ? '\n' : next == 'r' ? '\r' : next);
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }
}
