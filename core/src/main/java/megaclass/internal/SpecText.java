// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The one grammar of all specs: {@code name(value, key=value, ...) + name(...)}.
 *
 * <p>Each kind of spec declares its forms. A form is declared in the grammar itself: {@code
 * uniform(rate, corrected=false)} is a form with a parameter that must be given and one that need
 * not be. Values may be given by place, by name, or first by place and then by name. A text that is
 * none of the forms is answered with what is wrong, where, and the forms with examples.
 *
 * <p>Immutable: the methods that add a form return a new grammar.
 *
 * @param <T> type of the values that the texts stand for
 */
public final class SpecText<T> {
  private record Form<R>(SpecTerm declared, String prefix, String example, R reader) {

    static <R> Form<R> of(String declaration, String prefix, String example, R reader) {
      try {
        return new Form<>(SpecTerm.read(declaration).getFirst(), prefix, example, reader);
      } catch (SpecTerm.SyntaxException e) {
        throw new IllegalStateException("declaration \"" + declaration + "\": " + e.fault, e);
      }
    }

    /** The form as shown to people: what must be given in capitals, the rest with its default. */
    String shown() {
      var parameters =
          declared.arguments().stream()
              .map(p -> p.key() == null ? capitals(p.value()) : p.key() + "=" + p.value())
              .toList();
      String list = parameters.isEmpty() ? "" : "(" + String.join(", ", parameters) + ")";
      return prefix + declared.name() + list;
    }

    List<String> parameterNames() {
      return declared.arguments().stream().map(p -> p.key() == null ? p.value() : p.key()).toList();
    }

    private static String capitals(String name) {
      return name.replaceAll("(?<=[a-z])(?=[A-Z])", "_").toUpperCase(Locale.ROOT);
    }
  }

  private final String kind;
  private final List<Form<Function<SpecArguments, T>>> forms;
  private final List<Form<BiFunction<T, SpecArguments, T>>> additions;

  private SpecText(
      String kind,
      List<Form<Function<SpecArguments, T>>> forms,
      List<Form<BiFunction<T, SpecArguments, T>>> additions) {
    this.kind = kind;
    this.forms = List.copyOf(forms);
    this.additions = List.copyOf(additions);
  }

  /**
   * A grammar without forms.
   *
   * @param kind what the texts stand for, in words for error messages, such as "class selector"
   */
  public static <T> SpecText<T> of(String kind) {
    return new SpecText<>(kind, List.of(), List.of());
  }

  /**
   * Adds a form that stands for itself.
   *
   * @param declaration such as {@code uniform(rate, corrected=false)}
   * @param example a text of this form, for error messages
   * @param reader makes the value; what it finds wrong it throws as IllegalArgumentException
   */
  public SpecText<T> form(String declaration, String example, Function<SpecArguments, T> reader) {
    var more = new ArrayList<>(forms);
    more.add(Form.of(declaration, "", example, reader));
    return new SpecText<>(kind, more, additions);
  }

  /**
   * Adds a form that is added to another one with {@code +}.
   *
   * @param declaration such as {@code tail(share)}
   * @param example a text with this form in it, for error messages
   * @param reader makes the value from the one before the {@code +}
   */
  public SpecText<T> addition(
      String declaration, String example, BiFunction<T, SpecArguments, T> reader) {
    var more = new ArrayList<>(additions);
    more.add(Form.of(declaration, "... + ", example, reader));
    return new SpecText<>(kind, forms, more);
  }

  /**
   * Reads a text.
   *
   * @throws IllegalArgumentException when the text is none of the forms, or a value in it is not
   *     allowed; the message names the text, the fault, its position and the forms to choose from
   */
  public T parse(String text) {
    List<SpecTerm> terms;
    try {
      terms = SpecTerm.read(text);
    } catch (SpecTerm.SyntaxException e) {
      throw unreadable(text, e.fault, allForms(), e);
    }
    var form = find(text, "name", terms.getFirst(), forms);
    T value = read(text, terms.getFirst(), form, form.reader());
    for (SpecTerm term : terms.subList(1, terms.size())) {
      var addition = find(text, "addition", term, additions);
      T before = value;
      value = read(text, term, addition, values -> addition.reader().apply(before, values));
    }
    return value;
  }

  private <R> Form<R> find(String text, String role, SpecTerm term, List<Form<R>> among) {
    var names = new ArrayList<String>();
    for (Form<R> form : among) {
      if (form.declared().name().equals(term.name())) {
        return form;
      }
      names.add(form.declared().name());
    }
    throw unreadable(text, unknown(role, term.name(), term.position(), names), allForms(), null);
  }

  private T read(
      String text, SpecTerm term, Form<?> form, Function<SpecArguments, ? extends T> reader) {
    try {
      return reader.apply(new SpecArguments(values(term, form)));
    } catch (IllegalArgumentException e) {
      throw unreadable(text, Objects.requireNonNull(e.getMessage()), List.of(form), e);
    }
  }

  /** Puts the values given, by place or by name, and the defaults under the form's names. */
  private static Map<String, SpecArguments.Value> values(SpecTerm term, Form<?> form) {
    var values = new HashMap<String, SpecArguments.Value>();
    var names = form.parameterNames();
    boolean named = false;
    for (int i = 0; i < term.arguments().size(); i++) {
      var given = term.arguments().get(i);
      named |= given.key() != null;
      String name = given.key() != null ? given.key() : placed(given, i, named, names);
      if (!names.contains(name)) {
        throw new IllegalArgumentException(unknown("parameter", name, given.position(), names));
      }
      var value = new SpecArguments.Value(given.value(), given.valuePosition());
      if (values.put(name, value) != null) {
        throw new IllegalArgumentException(
            "%s is given a second time at character %s".formatted(name, given.position()));
      }
    }
    for (SpecTerm.Argument declared : form.declared().arguments()) {
      if (declared.key() != null) {
        values.putIfAbsent(declared.key(), new SpecArguments.Value(declared.value(), 0));
      } else if (!values.containsKey(declared.value())) {
        throw new IllegalArgumentException(declared.value() + " is missing");
      }
    }
    return values;
  }

  /** The name of the parameter at place {@code i}, for a value that was given without a name. */
  private static String placed(SpecTerm.Argument given, int i, boolean named, List<String> names) {
    if (named) {
      throw new IllegalArgumentException(
          "\"%s\" at character %s needs a name, since a value before it has one"
              .formatted(given.value(), given.position()));
    }
    if (i >= names.size()) {
      throw new IllegalArgumentException(
          "\"%s\" at character %s is one value too many"
              .formatted(given.value(), given.position()));
    }
    return names.get(i);
  }

  private static String unknown(String role, String word, int position, List<String> known) {
    return "unknown %s \"%s\" at character %s".formatted(role, word, position)
        + Nearest.to(word, known).map(" (did you mean \"%s\"?)"::formatted).orElse("");
  }

  private List<Form<?>> allForms() {
    var all = new ArrayList<Form<?>>(forms);
    all.addAll(additions);
    return all;
  }

  private IllegalArgumentException unreadable(
      String text, String fault, List<Form<?>> expected, @Nullable Exception cause) {
    int width = expected.stream().mapToInt(form -> form.shown().length()).max().orElse(0);
    var message = new StringBuilder();
    message.append("cannot read %s \"%s\": %s".formatted(kind, text, fault));
    message.append(expected.size() == 1 ? "; expected" : "; expected one of");
    for (Form<?> form : expected) {
      message.append("\n  ").append(form.shown());
      if (!form.shown().equals(form.example())) {
        message.append(" ".repeat(width - form.shown().length()));
        message.append("  e.g. ").append(form.example());
      }
    }
    return new IllegalArgumentException(message.toString(), cause);
  }

  /** The shortest text that reads back as the same number: 64, 0.5, 1e-8. */
  public static String text(double number) {
    return Double.toString(number).replaceFirst("\\.0(?=E|$)", "").replace('E', 'e');
  }

  /** The text of a constant: {@code straight-through} for STRAIGHT_THROUGH. */
  public static String text(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
