// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import megaclass.cli.settings.Settings.Given;
import megaclass.internal.InvalidFileException;
import megaclass.internal.Nearest;
import org.tomlj.Toml;
import org.tomlj.TomlParseError;
import org.tomlj.TomlTable;

/** Settings as a TOML file, one section a package; reads and writes it. */
public final class ConfigFile {
  private final List<Setting<?>> known;
  private final Path file;
  private final String name;
  private final Map<Setting<?>, Given> found = new LinkedHashMap<>();

  private ConfigFile(List<Setting<?>> known, Path file, String name) {
    this.known = known;
    this.file = file;
    this.name = name;
  }

  /**
   * Reads a file.
   *
   * @param known the settings that it may hold
   * @param file where it lies
   * @param name what messages call it
   * @throws InvalidFileException if it cannot be read, is no TOML, or has a key that is not known
   */
  public static Map<Setting<?>, Given> read(List<Setting<?>> known, Path file, String name) {
    var config = new ConfigFile(known, file, name);
    config.read();
    return config.found;
  }

  /** The settings as a file that reads back as the same, with all defaults in it. */
  public static String write(Settings settings, String comment) {
    var text = new StringBuilder("# " + comment + "\n");
    String section = "";
    for (var setting : settings.known()) {
      if (setting.key().isEmpty() || settings.text(setting).isEmpty()) {
        continue;
      }
      if (!setting.section().equals(section)) {
        section = setting.section();
        text.append("\n[").append(section).append("]\n");
      }
      String value = settings.text(setting);
      boolean quoted = setting.form() == Setting.Form.TEXT;
      text.append(setting.key()).append(" = ").append(quoted ? quote(value) : value).append('\n');
    }
    return text.toString();
  }

  private void read() {
    try {
      var toml = Toml.parse(Files.readString(file));
      if (toml.hasErrors()) {
        TomlParseError error = toml.errors().getFirst();
        throw fault(error.position().line(), "is no TOML: " + error.getMessage());
      }
      readTable(toml, "");
    } catch (IOException e) {
      throw new InvalidFileException(Path.of(name), e);
    }
  }

  private void readTable(TomlTable table, String section) {
    for (var entry : table.entrySet()) {
      String key = entry.getKey();
      int line = line(table, key);
      if (entry.getValue() instanceof TomlTable inner && section.isEmpty()) {
        if (!sections().contains(key)) {
          throw fault(line, "unknown section [" + key + "]" + hint(key, sections(), "sections"));
        }
        readTable(inner, key);
      } else {
        readValue(section, key, entry.getValue(), line);
      }
    }
  }

  private void readValue(String section, String key, Object value, int line) {
    for (var setting : known) {
      if (setting.section().equals(section) && setting.key().equals(key)) {
        found.put(setting, new Given(textOf(setting, value, line), name + ":" + line, false));
        return;
      }
    }
    String place = section.isEmpty() ? "before the first section" : "in [" + section + "]";
    throw fault(line, "unknown key " + key + " " + place + hint(section, key));
  }

  private String textOf(Setting<?> setting, Object value, int line) {
    boolean fits =
        switch (setting.form()) {
          case TEXT -> value instanceof String;
          case INTEGER -> value instanceof Long;
          case NUMBER -> value instanceof Long || value instanceof Double;
          case SWITCH -> value instanceof Boolean;
        };
    if (!fits) {
      String example =
          switch (setting.form()) {
            case TEXT -> "a text in quotes";
            case INTEGER -> "a whole number";
            case NUMBER -> "a number";
            case SWITCH -> "true or false";
          };
      throw fault(line, setting.key() + " must be " + example + ", but was " + shown(value));
    }
    return value.toString();
  }

  /** What was probably meant by an unknown key. */
  private String hint(String section, String key) {
    for (var setting : known) {
      if (setting.key().equals(key)) {
        return setting.section().isEmpty()
            ? "; it belongs before the first section"
            : "; it belongs to [" + setting.section() + "]";
      }
    }
    return hint(key, keys(section), "keys");
  }

  private static String hint(String word, List<String> choices, String what) {
    return Nearest.to(word, choices)
        .map(nearest -> ", did you mean " + nearest + "?")
        .orElse("; the " + what + " there are: " + String.join(", ", choices));
  }

  private List<String> sections() {
    return known.stream().map(Setting::section).filter(s -> !s.isEmpty()).distinct().toList();
  }

  private List<String> keys(String section) {
    return known.stream()
        .filter(setting -> setting.section().equals(section))
        .map(Setting::key)
        .filter(key -> !key.isEmpty())
        .toList();
  }

  private InvalidFileException fault(int line, String problem) {
    return new InvalidFileException(Path.of(name), line, problem);
  }

  private static int line(TomlTable table, String key) {
    var position = table.inputPositionOf(List.of(key));
    return position == null ? 1 : position.line();
  }

  private static String shown(Object value) {
    return value instanceof String text ? quote(text) : value.toString();
  }

  private static String quote(String text) {
    var quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (Character.isISOControl(c)) {
        quoted.append("\\u%04x".formatted((int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }
}
