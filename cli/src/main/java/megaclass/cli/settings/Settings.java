// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import megaclass.train.TrainConfig;

/** Settings with their values: from flags, else from a file, else the default. Immutable. */
public final class Settings {
  private final List<Setting<?>> known;
  private final Map<Setting<?>, Object> values;
  private final Map<Setting<?>, Given> given;

  /**
   * The text of a value that was given.
   *
   * @param origin where, for messages: {@code lemmas.toml:12} or {@code --epochs}
   * @param isFlag whether it stands on the command line
   */
  public record Given(String text, String origin, boolean isFlag) {}

  private Settings(
      List<Setting<?>> known, Map<Setting<?>, Object> values, Map<Setting<?>, Given> given) {
    this.known = known;
    this.values = values;
    this.given = given;
  }

  /** All settings as they are by default. */
  public static Settings defaults(List<Setting<?>> known) {
    var settings = new Settings(known, new HashMap<>(), new LinkedHashMap<>());
    known.forEach(setting -> settings.values.put(setting, setting.parse(setting.initial())));
    return settings;
  }

  /**
   * These settings with those of a file and those of flags, which win.
   *
   * @throws InvalidSettingException if one of the texts is no value of its setting
   */
  public Settings with(Map<Setting<?>, Given> more) {
    var settings = new Settings(known, new HashMap<>(values), new LinkedHashMap<>(given));
    more.forEach(
        (setting, text) -> {
          settings.values.put(setting, parse(setting, text));
          settings.given.put(setting, text);
        });
    return settings;
  }

  /** These settings with another value of one of them. */
  public <T> Settings with(Setting<T> setting, T value) {
    var settings = new Settings(known, new HashMap<>(values), given);
    settings.values.put(setting, value);
    return settings;
  }

  /** The value of a setting. */
  @SuppressWarnings("unchecked") // put there by the same setting
  public <T> T get(Setting<T> setting) {
    return (T) Objects.requireNonNull(values.get(setting), () -> "unknown setting " + setting);
  }

  /** The value of a setting as text. */
  public <T> String text(Setting<T> setting) {
    return setting.format(get(setting));
  }

  /** Where a setting was given a value; empty when it has its default. */
  public Optional<Given> given(Setting<?> setting) {
    return Optional.ofNullable(given.get(setting));
  }

  /** All settings there are. */
  public List<Setting<?>> known() {
    return known;
  }

  /** The settings of the trainer. */
  public TrainConfig trainConfig() {
    var config = TrainConfig.defaults();
    for (var setting : known) {
      config = change(config, setting);
    }
    return config;
  }

  private <T> TrainConfig change(TrainConfig config, Setting<T> setting) {
    return setting.change(config, get(setting));
  }

  private static Object parse(Setting<?> setting, Given given) {
    try {
      return Objects.requireNonNull(setting.parse(given.text()));
    } catch (IllegalArgumentException e) {
      throw new InvalidSettingException(given, e);
    }
  }
}
