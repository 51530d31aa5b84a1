// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static megaclass.data.ListSource.line;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConversionTest {
  @TempDir Path folder;
  private Path train;
  private Path test;

  @BeforeEach
  void names() {
    train = folder.resolve("train.mcd");
    test = folder.resolve("test.mcd");
  }

  @Test
  void aSourceBecomesOneFile() {
    var source = new ListSource(List.of(line("kota", "kot"), line("psa", "pies")));
    var result = Conversion.whole(source, train);
    assertEquals(new Conversion.Result(2, 0, 2, 0), result);
    assertEquals(List.of("kota:[kot]", "psa:[pies]"), examples(train));
    try (var data = Dataset.open(train)) {
      assertEquals("a list", data.source());
    }
  }

  @Test
  void equalTextsThatFollowEachOtherBecomeOneExample() {
    var source =
        new ListSource(
            List.of(
                line("mam", "mama"),
                line("mam", "mieć"),
                line("mam", "mama"),
                line("domu", "dom"),
                line("domu", "dom"),
                line("mam", "mamić"),
                line("x", "a", "b", "a")));
    var result = Conversion.whole(source, train);
    assertEquals(new Conversion.Result(4, 0, 6, 3), result);
    assertEquals(
        List.of("mam:[mama, mieć]", "domu:[dom]", "mam:[mamić]", "x:[a, b]"), examples(train));
  }

  @Test
  void trainingAndTestFileTogetherHoldEveryExampleWithItsClasses() {
    var source = new ListSource(lines(2000));
    var result = Conversion.defaults().split(source, train, test);
    assertEquals(2000, result.trainExamples() + result.testExamples());
    assertTrue(Math.abs(result.testExamples() - 200) < 45, result.toString());
    assertEquals(100, result.numClasses());
    var all = new ArrayList<>(examples(train));
    assertEquals(result.trainExamples(), all.size());
    all.addAll(examples(test));
    assertEquals(
        new TreeSet<>(lines(2000).stream().map(l -> l.text() + ":" + l.labels()).toList()),
        new TreeSet<>(all));
    assertEquals(2000, all.size());
    try (var first = Dataset.open(train);
        var second = Dataset.open(test)) {
      assertEquals(100, first.numClasses());
      assertEquals(100, second.numClasses());
      for (int id = 0; id < 100; id++) {
        assertEquals(first.labels().label(id), second.labels().label(id));
      }
      assertEquals(
          "a list, train part of split(testShare=0.1, minExamplesPerClass=3, seed=42)",
          first.source());
      assertEquals(
          "a list, test part of split(testShare=0.1, minExamplesPerClass=3, seed=42)",
          second.source());
    }
  }

  @Test
  void theFilesAreThoseThatSplittingInMemoryGives() {
    var source = new ListSource(lines(2000));
    new Conversion(0.3, 2, 7).split(source, train, test);
    try (var labels = new Labels.Builder();
        var data = Dataset.read(source, labels)) {
      data.split(0.3, 7, 2).test().save(folder.resolve("expected.mcd"));
    }
    assertEquals(examples(folder.resolve("expected.mcd")), examples(test));
    assertFalse(examples(test).isEmpty());
  }

  @Test
  void denseFilesAreThoseThatSplittingInMemoryGives() {
    var spec = PlantedClasses.defaults().withNumClasses(50).withDim(7);
    new Conversion(0.3, 2, 7).split(new PlantedExamples(spec), train, test);
    try (var expected = Dataset.synthetic(spec);
        var converted = Dataset.open(test)) {
      var view = expected.split(0.3, 7, 2).test();
      assertEquals(view.numExamples(), converted.numExamples());
      for (long i = 0; i < view.numExamples(); i++) {
        assertEquals(-1, view.row(i).mismatch(converted.row(i)));
        assertEquals(view.target(i, 0), converted.target(i, 0), "ids in the order of the source");
      }
    }
  }

  @Test
  void examplesWithARareClassAreNotTested() {
    var lines = new ArrayList<>(lines(200));
    for (int i = 0; i < 100; i++) {
      lines.add(line("rare " + i, "rare " + i / 2));
      lines.add(line("mixed " + i, "label 1", "once " + i));
    }
    var source = new ListSource(lines);
    new Conversion(0.5, 3, 1).split(source, train, test);
    assertTrue(examples(test).stream().allMatch(e -> e.startsWith("text ")), "two are too few");
    new Conversion(0.5, 2, 1).split(source, train, test);
    assertTrue(examples(test).stream().anyMatch(e -> e.startsWith("rare ")));
    assertTrue(examples(test).stream().noneMatch(e -> e.startsWith("mixed ")));
  }

  @Test
  void nothingIsHeldOutWithoutATestShare() {
    var result =
        Conversion.defaults().withTestShare(0).split(new ListSource(lines(50)), train, test);
    assertEquals(new Conversion.Result(50, 0, 50, 0), result);
    assertEquals(List.of(), examples(test));
  }

  @Test
  void convertingTwiceGivesTheSameBytes() throws IOException {
    var source = new ListSource(lines(500));
    Conversion.defaults().split(source, train, test);
    Conversion.defaults().split(source, folder.resolve("a"), folder.resolve("b"));
    assertEquals(-1, Files.mismatch(train, folder.resolve("a")));
    assertEquals(-1, Files.mismatch(test, folder.resolve("b")));
    Conversion.defaults().withSeed(1).split(source, train, test);
    assertTrue(Files.mismatch(test, folder.resolve("b")) >= 0);
  }

  @Test
  void aTestFileCanUseTheClassIdsOfAnEarlierTrainingFile() {
    Conversion.whole(new ListSource(List.of(line("a", "one"), line("b", "two"))), train);
    try (var data = Dataset.open(train);
        var labels = new Labels.Builder(data.labels())) {
      var source = new ListSource(List.of(line("c", "three"), line("d", "two")));
      assertEquals(3, Conversion.whole(source, test, labels).numClasses());
    }
    try (var data = Dataset.open(test)) {
      assertEquals(2, data.target(0, 0));
      assertEquals(1, data.target(1, 0));
    }
  }

  @Test
  void aSourceThatFailsLeavesNoFile() throws IOException {
    var file = folder.resolve("a.tsv");
    Files.writeString(file, "a\tb\n".repeat(1000) + "no tab\n");
    var e =
        assertThrows(
            UncheckedIOException.class,
            () -> Conversion.defaults().split(new LabelledText(file), train, test));
    assertEquals(file + ":1001: no tab in \"no tab\", expected LABEL<TAB>TEXT", e.getMessage());
    assertThrows(UncheckedIOException.class, () -> Conversion.whole(new LabelledText(file), train));
    try (var files = Files.list(folder)) {
      assertEquals(List.of(file), files.toList());
    }
  }

  @Test
  void aSourceThatChangesBetweenThePassesIsRefused() throws IOException {
    for (var more : List.of(line("new text", "label 1"), line("new text", "new label"))) {
      var lines = new ArrayList<>(lines(100));
      var growing = new Changing(new ListSource(lines), () -> lines.add(more));
      var e =
          assertThrows(
              IllegalStateException.class, () -> Conversion.defaults().split(growing, train, test));
      assertEquals("a list changed while it was converted; convert it again", e.getMessage());
      try (var files = Files.list(folder)) {
        assertEquals(List.of(), files.toList());
      }
    }
  }

  /** A source that is changed after it was read. */
  private record Changing(ExampleSource source, Runnable change) implements ExampleSource {
    @Override
    public FeatureKind kind() {
      return source.kind();
    }

    @Override
    public int featureDim() {
      return source.featureDim();
    }

    @Override
    public String description() {
      return source.description();
    }

    @Override
    public void forEach(Sink sink) {
      source.forEach(sink);
      change.run();
    }
  }

  @Test
  void badSettingsAreRefused() {
    assertError("testShare must be in [0.0, 1.0), but was 1.0", () -> new Conversion(1, 3, 42));
    assertError(
        "testShare must be in [0.0, 1.0), but was NaN",
        () -> Conversion.defaults().withTestShare(Double.NaN));
    assertError(
        "minExamplesPerClass must be at least 1, but was 0",
        () -> Conversion.defaults().withMinExamplesPerClass(0));
  }

  private static void assertError(String expected, Runnable action) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, action::run).getMessage());
  }

  private static List<ListSource.Line> lines(int count) {
    var lines = new ArrayList<ListSource.Line>();
    for (int i = 0; i < count; i++) {
      lines.add(line("text " + i, "label " + i % 100));
    }
    return lines;
  }

  private static List<String> examples(Path file) {
    try (var data = Dataset.open(file)) {
      var examples = new ArrayList<String>();
      for (long i = 0; i < data.numExamples(); i++) {
        var labels = new ArrayList<String>();
        for (int t = 0; t < data.numTargets(i); t++) {
          labels.add(data.labels().label(data.target(i, t)));
        }
        assertEquals(labels.size(), new HashSet<>(labels).size());
        examples.add(new String(data.text(i).toArray(ValueLayout.JAVA_BYTE), UTF_8) + ":" + labels);
      }
      return examples;
    }
  }
}
