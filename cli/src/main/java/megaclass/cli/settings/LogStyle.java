// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

/** How messages look. */
public enum LogStyle {
  /** Plain text, with a bar that moves when a person watches. */
  TEXT,
  /** One JSON object a line. */
  JSON,
  /** Nothing but errors. */
  QUIET;

  /** Reads what the flag {@code --log} allows. */
  static LogStyle parse(String text) {
    return switch (text) {
      case "text" -> TEXT;
      case "json" -> JSON;
      default ->
          throw new IllegalArgumentException("must be text or json, but was \"" + text + "\"");
    };
  }
}
