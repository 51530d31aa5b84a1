// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The values of one term of a spec, by the names of its form; defaults stand where none was given.
 *
 * <p>Each accessor throws {@link IllegalArgumentException}, with the position of the value, when
 * the text of the value does not read as what was asked for. Immutable.
 */
public final class SpecArguments {
  private static final String WHOLE = "-?[0-9]{1,9}|-?[01][0-9]{9}";
  private static final Pattern WHOLE_NUMBER = Pattern.compile(WHOLE);
  private static final Pattern WHOLE_RANGE = Pattern.compile("([0-9]{1,9})-([0-9]{1,9})");
  private static final String NUMBER = "-?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][-+]?[0-9]+)?";
  private static final Pattern ONE_NUMBER = Pattern.compile(NUMBER);
  private static final Pattern NUMBERS = Pattern.compile(NUMBER + "( *; *" + NUMBER + ")*");

  /** What stands in the text for a parameter; position 0 says that nothing does: the default. */
  record Value(String text, int position) {}

  private final Map<String, Value> values;

  /** Takes the values of all parameters of a form by name. */
  SpecArguments(Map<String, Value> values) {
    this.values = Map.copyOf(values);
  }

  /** Any text without a comma, a bracket or "=". */
  public String text(String name) {
    return value(name).text();
  }

  /** A whole number below two billion. */
  public int integer(String name) {
    return Integer.parseInt(matched(name, WHOLE_NUMBER, "a whole number below two billion"));
  }

  /** A number. */
  public double number(String name) {
    return Double.parseDouble(matched(name, ONE_NUMBER, "a number"));
  }

  /** Numbers with {@code ;} between them, at least one. */
  public double[] numbers(String name) {
    String text = matched(name, NUMBERS, "numbers with \";\" between them");
    return Arrays.stream(text.split(";")).mapToDouble(Double::parseDouble).toArray();
  }

  /** Two whole numbers with {@code -} between them: {@code {2, 6}} for {@code 2-6}. */
  public int[] integerRange(String name) {
    String text = matched(name, WHOLE_RANGE, "two whole numbers with \"-\" between them");
    return Arrays.stream(text.split("-")).mapToInt(Integer::parseInt).toArray();
  }

  /** {@code true} or {@code false}. */
  public boolean flag(String name) {
    return switch (value(name).text()) {
      case "true" -> true;
      case "false" -> false;
      default -> throw invalid(name, "true or false");
    };
  }

  /** A constant of an enum by its text, see {@link SpecText#text(Enum)}. */
  public <E extends Enum<E>> E choice(String name, Class<E> type) {
    for (E constant : type.getEnumConstants()) {
      if (SpecText.text(constant).equals(value(name).text())) {
        return constant;
      }
    }
    throw invalid(
        name,
        Arrays.stream(type.getEnumConstants())
            .map(SpecText::text)
            .collect(Collectors.joining(" or ")));
  }

  private String matched(String name, Pattern pattern, String mustBe) {
    String text = value(name).text();
    if (!pattern.matcher(text).matches()) {
      throw invalid(name, mustBe);
    }
    return text;
  }

  private Value value(String name) {
    return Objects.requireNonNull(values.get(name), name);
  }

  private IllegalArgumentException invalid(String name, String mustBe) {
    Value value = value(name);
    return new IllegalArgumentException(
        "%s must be %s, but was \"%s\" at character %s"
            .formatted(name, mustBe, value.text(), value.position()));
  }
}
