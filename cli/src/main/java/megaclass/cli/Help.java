// SPDX-License-Identifier: Apache-2.0
package megaclass.cli;

import java.util.List;
import megaclass.cli.settings.Question;
import megaclass.cli.settings.Setting;
import megaclass.cli.text.Lines;

/** The texts behind {@code --help}: flags grouped by question, defaults, two runnable examples. */
final class Help {
  private static final int WIDTH = 100;
  private static final int FLAG_COLUMN = 34;

  private Help() {}

  /** All verbs. */
  static String ofAll(List<Verb> verbs) {
    var text = new StringBuilder();
    text.append(
        "megaclass trains, evaluates and serves classifiers with a huge number of classes\n");
    text.append("\nmegaclass VERB ...\n");
    verbs.forEach(verb -> text.append("  %-10s %s%n".formatted(verb.name(), verb.summary())));
    text.append(
        """

        Everywhere
          --help     this text, or that of a verb
          --version  which version this is
          --debug    show where an error comes from

        Examples
          megaclass train examples/lemmas/lemmas.toml
          megaclass train --help\
        """);
    return text.toString();
  }

  /** One verb. */
  static String of(Verb verb) {
    var text = new StringBuilder("megaclass " + verb.name() + ": " + verb.summary() + "\n\n");
    verb.synopses().forEach(line -> text.append("  megaclass ").append(line).append('\n'));
    for (var question : Question.values()) {
      var flags = verb.flags().stream().filter(flag -> flag.question() == question).toList();
      if (!flags.isEmpty()) {
        text.append('\n').append(question.heading()).append('\n');
        flags.forEach(flag -> append(flag, text));
      }
    }
    text.append("\nExamples");
    verb.examples().forEach(line -> text.append("\n  ").append(line));
    return text.toString();
  }

  private static void append(Setting<?> flag, StringBuilder text) {
    String left = "  " + (flag.flag() + " " + flag.placeholder()).strip();
    if (left.length() > FLAG_COLUMN - 2) {
      text.append(left).append('\n');
      left = "";
    }
    for (var line : Lines.wrap(description(flag), WIDTH - FLAG_COLUMN)) {
      text.append(left).repeat(' ', FLAG_COLUMN - left.length()).append(line).append('\n');
      left = "";
    }
  }

  private static String description(Setting<?> flag) {
    var text = new StringBuilder(flag.description());
    if (!flag.allowed().isEmpty() && flag.form() != Setting.Form.SWITCH) {
      text.append("; ").append(flag.allowed());
    }
    if (!flag.initial().isEmpty() && flag.form() != Setting.Form.SWITCH) {
      text.append("; default ").append(flag.initial());
    }
    return text.toString();
  }
}
