// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import java.util.function.ToIntFunction;
import megaclass.data.Dataset;
import megaclass.internal.Check;
import org.jspecify.annotations.Nullable;

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

  /** What a data set calls its examples: paths of images; numbers from 0 where it has no names. */
  public static ExampleNames of(Dataset data) {
    int size = (int) Check.inRange("number of examples", data.numExamples(), 0, 1L << 30);
    var byName = new AtomicReference<@Nullable Map<String, Integer>>();
    return new ExampleNames(
        data::name,
        text -> {
          var items = byName.get();
          if (items == null) { // only lists ask for it
            items = index(size, data::name);
            byName.set(items);
          }
          return items.getOrDefault(text, UNKNOWN);
        });
  }

  /** Given names, in order. */
  public static ExampleNames of(List<String> names) {
    var items = index(names.size(), names::get);
    return new ExampleNames(names::get, text -> items.getOrDefault(text, UNKNOWN));
  }

  /** Of examples with one name the first is meant. */
  private static Map<String, Integer> index(int size, IntFunction<String> name) {
    Map<String, Integer> items = HashMap.newHashMap(size);
    for (int i = 0; i < size; i++) {
      items.putIfAbsent(name.apply(i), i);
    }
    return items;
  }

  /** What an item is called. */
  public String name(int item) {
    return name.apply(item);
  }

  /** The item of a name, or {@link #UNKNOWN}. */
  int find(String text) {
    return find.applyAsInt(text);
  }
}
