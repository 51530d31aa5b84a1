// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import java.nio.file.Path;

/**
 * A text file with one example a line: the label, a tab, the text. UTF-8, with or without byte
 * order mark, lines ended by LF or CRLF, {@code .gz} if compressed. Labels may contain spaces, the
 * text may contain tabs; empty lines are skipped.
 *
 * @param file the file
 */
public record LabelledText(Path file) implements ExampleSource {
  @Override
  public FeatureKind kind() {
    return FeatureKind.TEXT;
  }

  @Override
  public int featureDim() {
    return 0;
  }

  @Override
  public String description() {
    return String.valueOf(file.getFileName());
  }

  @Override
  public void forEach(Sink sink) {
    try (var lines = new TextLines(file)) {
      while (lines.next()) {
        if (!lines.isEmpty()) {
          int tab = tab(lines);
          sink.text(lines.copy(tab + 1, lines.to()), lines.copy(lines.from(), tab));
        }
      }
    }
  }

  private static int tab(TextLines lines) {
    int tab = lines.from();
    while (tab < lines.to() && lines.bytes()[tab] != '\t') {
      tab++;
    }
    if (tab == lines.to()) {
      throw lines.fault(
          "no tab in "
              + Utf8.excerpt(lines.bytes(), lines.from(), lines.to())
              + ", expected LABEL<TAB>TEXT");
    }
    if (tab == lines.from()) {
      throw lines.fault("no label before the tab, expected LABEL<TAB>TEXT");
    }
    if (tab + 1 == lines.to()) {
      throw lines.fault(
          "no text after the label "
              + Utf8.excerpt(lines.bytes(), lines.from(), tab)
              + ", expected LABEL<TAB>TEXT");
    }
    return tab;
  }
}
