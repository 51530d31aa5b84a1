// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;

/** Texts of a list, for tests. */
record ListSource(List<Line> lines) implements ExampleSource {
  record Line(String text, List<String> labels) {}

  static Line line(String text, String... labels) {
    return new Line(text, List.of(labels));
  }

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
    return "a list";
  }

  @Override
  public void forEach(Sink sink) {
    for (var line : lines) {
      var labels = line.labels().stream().map(s -> s.getBytes(UTF_8)).toArray(byte[][]::new);
      sink.text(line.text().getBytes(UTF_8), labels);
    }
  }
}
