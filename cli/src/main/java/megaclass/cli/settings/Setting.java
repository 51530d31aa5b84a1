// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import megaclass.train.TrainConfig;
import org.jspecify.annotations.Nullable;

/**
 * One setting: its names, what it may be, what it is for. Immutable; start with one of the factory
 * methods and add what is known with the others, which return a new setting.
 *
 * @param <T> type of its values
 */
public final class Setting<T> {
  /** How a value is written in a configuration file. */
  public enum Form {
    /** In quotes. */
    TEXT,
    /** Digits. */
    INTEGER,
    /** Digits, with a point or an exponent where needed. */
    NUMBER,
    /** {@code true} or {@code false}; as a flag, its presence. */
    SWITCH
  }

  private record Reader<T>(Function<String, T> parse, Function<T, String> format) {}

  private record Words(
      Question question, String placeholder, String initial, String allowed, String description) {}

  private final String section;
  private final String key;
  private final String flag;
  private final Form form;
  private final Reader<T> reader;
  private final Words words;
  private final @Nullable BiFunction<TrainConfig, T, TrainConfig> change;

  private Setting(
      String path,
      String flag,
      Form form,
      Reader<T> reader,
      Words words,
      @Nullable BiFunction<TrainConfig, T, TrainConfig> change) {
    int dot = path.indexOf('.');
    this.section = dot < 0 ? "" : path.substring(0, dot);
    this.key = path.substring(dot + 1);
    this.flag = flag;
    this.form = form;
    this.reader = reader;
    this.words = words;
    this.change = change;
  }

  /**
   * A setting.
   *
   * @param path section and key in the configuration file, {@code optim.learning_rate}; a key alone
   *     stands before all sections; empty for what is a flag only
   * @param flag {@code --learning-rate}
   * @param parse from its text; throws IllegalArgumentException with a sentence
   */
  public static <T> Setting<T> of(String path, String flag, Form form, Function<String, T> parse) {
    var words = new Words(Question.HOW, placeholder(form), "", "", "");
    return new Setting<>(path, flag, form, new Reader<>(parse, String::valueOf), words, null);
  }

  /** A text, as it is; empty when it is not set. */
  public static Setting<String> text(String path, String flag) {
    return of(path, flag, Form.TEXT, Function.identity());
  }

  /** Something that is so when it is given. */
  public static Setting<Boolean> onOff(String path, String flag) {
    return of(path, flag, Form.SWITCH, Setting::parseBoolean).by("false");
  }

  /** A whole number. */
  public static Setting<Integer> integer(String path, String flag) {
    return of(path, flag, Form.INTEGER, Setting::parseInt);
  }

  /** A whole number that may be large. */
  public static Setting<Long> longInteger(String path, String flag) {
    return of(path, flag, Form.INTEGER, Setting::parseLong);
  }

  /** A number. */
  public static Setting<Double> number(String path, String flag) {
    var setting = of(path, flag, Form.NUMBER, Setting::parseDouble);
    return setting.writtenWith(megaclass.internal.SpecText::text);
  }

  /** Under which heading of the help it stands, and what stands for its value there. */
  public Setting<T> in(Question question, String placeholder) {
    return with(new Words(question, placeholder, words.initial, words.allowed, words.description));
  }

  /** Its value when none is given, as text. */
  public Setting<T> by(String initial) {
    return with(
        new Words(words.question, words.placeholder, initial, words.allowed, words.description));
  }

  /** Its range or choices, in words. */
  public Setting<T> allowed(String allowed) {
    return with(
        new Words(words.question, words.placeholder, words.initial, allowed, words.description));
  }

  /** What it is, without a full stop. */
  public Setting<T> about(String description) {
    return with(
        new Words(words.question, words.placeholder, words.initial, words.allowed, description));
  }

  /** Its value as text, where that is not {@code String.valueOf}. */
  public Setting<T> writtenWith(Function<T, String> format) {
    return new Setting<>(path(), flag, form, new Reader<>(reader.parse, format), words, change);
  }

  /** What else a value must fulfil: throws IllegalArgumentException. */
  public Setting<T> checked(Consumer<T> check) {
    Function<String, T> parse =
        text -> {
          T value = reader.parse.apply(text);
          check.accept(value);
          return value;
        };
    return new Setting<>(path(), flag, form, new Reader<>(parse, reader.format), words, change);
  }

  /** How it changes the settings of the trainer, which also check its range. */
  Setting<T> into(BiFunction<TrainConfig, T, TrainConfig> change) {
    return new Setting<>(path(), flag, form, reader, words, change);
  }

  /** The section of the configuration file, or nothing for what stands before all sections. */
  public String section() {
    return section;
  }

  /** The key in the section; empty for what is a flag only. */
  public String key() {
    return key;
  }

  /** {@code --learning-rate}. */
  public String flag() {
    return flag;
  }

  /** How its value is written. */
  public Form form() {
    return form;
  }

  /** The heading of the help under which it stands. */
  public Question question() {
    return words.question;
  }

  /** What stands for its value in the help; empty for a switch. */
  public String placeholder() {
    return words.placeholder;
  }

  /** Its value when none is given, as text; empty when there is none. */
  public String initial() {
    return words.initial;
  }

  /** Its range or choices, in words. */
  public String allowed() {
    return words.allowed;
  }

  /** What it is. */
  public String description() {
    return words.description;
  }

  /** Whether it is a setting of {@link TrainConfig}. */
  public boolean isOfTrainer() {
    return change != null;
  }

  /** The value a text stands for; throws IllegalArgumentException when it is none. */
  T parse(String text) {
    T value = reader.parse.apply(text);
    Objects.requireNonNull(change(TrainConfig.defaults(), value)); // checks the range
    return value;
  }

  /** The text of a value; reads back as the same value. */
  String format(T value) {
    return reader.format.apply(value);
  }

  /** The trainer's settings with this value; those given when it is no setting of the trainer. */
  TrainConfig change(TrainConfig config, T value) {
    return change == null ? config : change.apply(config, value);
  }

  @Override
  public String toString() {
    return flag;
  }

  private Setting<T> with(Words changed) {
    return new Setting<>(path(), flag, form, reader, changed, change);
  }

  private String path() {
    return section.isEmpty() ? key : section + "." + key;
  }

  private static String placeholder(Form form) {
    return switch (form) {
      case TEXT -> "TEXT";
      case INTEGER, NUMBER -> "NUMBER";
      case SWITCH -> "";
    };
  }

  private static Boolean parseBoolean(String text) {
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException("must be true or false, but was " + text);
    };
  }

  static Integer parseInt(String text) {
    long value = parseLong(text);
    if (value != (int) value) {
      throw new IllegalArgumentException(
          "must be in [" + Integer.MIN_VALUE + ", " + Integer.MAX_VALUE + "], but was " + text);
    }
    return (int) value;
  }

  private static Long parseLong(String text) {
    try {
      return Long.parseLong(text.replace("_", ""));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("must be a whole number, but was \"" + text + "\"", e);
    }
  }

  static Double parseDouble(String text) {
    try {
      return Double.parseDouble(text.replace("_", ""));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("must be a number, but was \"" + text + "\"", e);
    }
  }
}
