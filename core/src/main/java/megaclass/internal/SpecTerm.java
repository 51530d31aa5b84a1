// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One term of a spec as it was written, {@code name(value, key=value)}, before anything is known of
 * what the name and the keys mean. Positions count characters from 1.
 */
record SpecTerm(String name, int position, List<Argument> arguments) {

  /** A value with the key it was given under, or none when it was given by its place. */
  record Argument(@Nullable String key, String value, int position, int valuePosition) {}

  /** The text is no sequence of terms; the fault says where and why, in a part of a sentence. */
  static final class SyntaxException extends Exception {
    private static final long serialVersionUID = 1L;

    final String fault;

    SyntaxException(String fault) {
      super(fault);
      this.fault = fault;
    }
  }

  /** Reads {@code term + term + ...}: at least one term, and nothing after the last. */
  static List<SpecTerm> read(String text) throws SyntaxException {
    var reader = new Reader(text);
    var terms = new ArrayList<SpecTerm>();
    do {
      terms.add(reader.term());
    } while (reader.skip('+'));
    if (!reader.atEnd()) {
      throw reader.unexpected("\"+\" or the end");
    }
    return List.copyOf(terms);
  }

  private static final class Reader {
    private final String text;
    private int at;

    Reader(String text) {
      this.text = text;
    }

    SpecTerm term() throws SyntaxException {
      skipSpaces();
      int start = at;
      String name = word();
      if (name.isEmpty()) {
        throw unexpected("a name");
      }
      var arguments = new ArrayList<Argument>();
      if (skip('(') && !skip(')')) {
        do {
          arguments.add(argument());
        } while (skip(','));
        if (!skip(')')) {
          throw unexpected("\",\" or \")\"");
        }
      }
      return new SpecTerm(name, start + 1, List.copyOf(arguments));
    }

    private Argument argument() throws SyntaxException {
      skipSpaces();
      int start = at;
      String key = word();
      if (!key.isEmpty() && skip('=')) {
        skipSpaces();
        int valueStart = at;
        return new Argument(key, value(), start + 1, valueStart + 1);
      }
      at = start;
      return new Argument(null, value(), start + 1, start + 1);
    }

    private String word() {
      int start = at;
      while (at < text.length() && Character.isLetterOrDigit(text.charAt(at))) {
        at++;
      }
      return text.substring(start, at);
    }

    private String value() throws SyntaxException {
      int start = at;
      while (at < text.length() && ",()=".indexOf(text.charAt(at)) < 0) {
        at++;
      }
      String value = text.substring(start, at).strip();
      if (value.isEmpty()) {
        at = start;
        throw unexpected("a value");
      }
      return value;
    }

    /** Skips spaces and then {@code c}, if it comes next. */
    boolean skip(char c) {
      skipSpaces();
      boolean found = at < text.length() && text.charAt(at) == c;
      if (found) {
        at++;
      }
      return found;
    }

    private void skipSpaces() {
      while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
        at++;
      }
    }

    boolean atEnd() {
      skipSpaces();
      return at == text.length();
    }

    SyntaxException unexpected(String expected) {
      String found = atEnd() ? "the text ends" : "there is \"" + text.charAt(at) + "\"";
      return new SyntaxException(
          "expected " + expected + " at character " + (at + 1) + ", but " + found);
    }
  }
}
