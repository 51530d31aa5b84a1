// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.report;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A JSON object whose values are asked for by type; what is missing or of another type is empty.
 *
 * @param values by name
 */
record Facts(Map<String, ?> values) {
  static final Facts NONE = new Facts(Map.of());

  boolean has(String name) {
    return values.get(name) != null;
  }

  /** A number, or NaN. */
  double number(String name) {
    return values.get(name) instanceof Number number ? number.doubleValue() : Double.NaN;
  }

  /** A whole number, or 0. */
  long whole(String name) {
    return values.get(name) instanceof Number number ? number.longValue() : 0;
  }

  /** The text of a value, or nothing. */
  String text(String name) {
    Object value = values.get(name);
    return value == null ? "" : value.toString();
  }

  /** An object in it. */
  Facts facts(String name) {
    var inner = new LinkedHashMap<String, Object>();
    if (values.get(name) instanceof Map<?, ?> map) {
      map.forEach((key, value) -> inner.put(String.valueOf(key), value));
    }
    return new Facts(inner);
  }

  /** The objects of a list in it. */
  List<Facts> list(String name) {
    return values.get(name) instanceof List<?> list
        ? list.stream().map(value -> new Facts(Map.of("", value)).facts("")).toList()
        : List.of();
  }

  /** The numbers in it, in their order. */
  Map<String, Double> numbers() {
    var numbers = new LinkedHashMap<String, Double>();
    values.forEach(
        (name, value) -> {
          if (value instanceof Number number) {
            numbers.put(name, number.doubleValue());
          }
        });
    return numbers;
  }
}
