// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

import java.util.List;

/** The page {@code docs/configuration.md}: every setting with its default and what is allowed. */
final class SettingsPage {
  private SettingsPage() {}

  /** The page as Markdown. */
  static String markdown(List<Setting<?>> settings) {
    var page =
        new StringBuilder(
            """
            # Configuration

            Every setting of a run. `megaclass train CONFIG.toml` reads them from a TOML file, one \
            section a package; each is also a
            flag, which wins over the file. The settings of a run, defaults filled in, stand in \
            `config.toml` in its folder, and
            `megaclass train` repeats the run from there. Paths are relative to the working folder. \
            An unknown key is an error
            that names the nearest known one.

            This page is made from the settings themselves; a test holds them together.
            """);
    String section = null;
    for (var setting : settings) {
      if (!setting.section().equals(section)) {
        section = setting.section();
        page.append("\n## ").append(section.isEmpty() ? "Before all sections" : heading(section));
        page.append("\n\n| key | flag | default | allowed | what it is |\n|---|---|---|---|---|\n");
      }
      page.append(
          "| `%s` | `%s` | %s | %s | %s |\n"
              .formatted(
                  setting.key(),
                  setting.flag(),
                  setting.initial().isEmpty() ? "" : "`" + setting.initial() + "`",
                  cell(setting.allowed()),
                  cell(setting.description())));
    }
    page.append(
        """

        ## Specs

        What in `spec` and `schedule` stands for a choice with parameters. Capitals must be given, \
        the others have the default that
        is shown; values may be given by place or by name.
        """);
    for (var setting : settings) {
      String forms = forms(setting);
      if (!forms.isEmpty()) {
        page.append("\n`")
            .append(setting.flag())
            .append("`\n\n```\n")
            .append(forms)
            .append("```\n");
      }
    }
    return page.toString();
  }

  /** The forms of a spec: what the parser answers to a text that is none of them. */
  private static String forms(Setting<?> setting) {
    try {
      setting.parse("?");
      return "";
    } catch (IllegalArgumentException e) {
      var lines = String.valueOf(e.getMessage()).lines().skip(1).map(String::strip).toList();
      return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
    }
  }

  private static String heading(String section) {
    return "`[" + section + "]`";
  }

  private static String cell(String text) {
    return text.replace("|", "\\|");
  }
}
