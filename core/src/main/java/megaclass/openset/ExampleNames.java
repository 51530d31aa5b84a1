// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.ToIntFunction;
import megaclass.data.Dataset;

/** What the items of a set are called in lists and reports. */
public final class ExampleNames {
  /** What {@link #find} says of an unknown name. */
  static final int UNKNOWN = -1;

  private final IntFunction<String> name;
  private final ToIntFunction<String> find;

  private ExampleNames(IntFunction<String> name, ToIntFunction<String> find) {
    this.name = name;
    this.find = find;
  }

  /** The names of examples: their numbers, from 0. */
  public static ExampleNames of(Dataset data) {
    long size = data.numExamples();
    return new ExampleNames(String::valueOf, text -> number(text, size));
  }

  /** Given names, in order. */
  public static ExampleNames of(List<String> names) {
    Map<String, Integer> items = HashMap.newHashMap(names.size());
    for (int i = 0; i < names.size(); i++) {
      items.put(names.get(i), i);
    }
    return new ExampleNames(names::get, text -> items.getOrDefault(text, UNKNOWN));
  }

  /** What an item is called. */
  public String name(int item) {
    return name.apply(item);
  }

  /** The item of a name, or {@link #UNKNOWN}. */
  int find(String text) {
    return find.applyAsInt(text);
  }

  private static int number(String text, long size) {
    if (!text.matches("\\d{1,10}")) {
      return UNKNOWN;
    }
    long number = Long.parseLong(text);
    return number < size ? (int) number : UNKNOWN;
  }
}
