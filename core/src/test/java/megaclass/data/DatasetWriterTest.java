// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import megaclass.internal.InvalidFileException;
import megaclass.internal.SectionFile;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetWriterTest {
  @TempDir Path folder;

  @Property(tries = 50)
  void whatIsWrittenIsRead(@ForAll long seed, @ForAll @IntRange(min = 0, max = 200) int numExamples)
      throws IOException {
    var random = new Random(seed);
    var texts = new ArrayList<String>();
    var classes = new ArrayList<List<String>>();
    int maxTargets = 1 + random.nextInt(4);
    for (int i = 0; i < numExamples; i++) {
      texts.add("x".repeat(random.nextInt(20)) + "é🦀".substring(0, random.nextInt(2)));
      var labels = new TreeSet<String>();
      for (int t = random.nextInt(maxTargets); t >= 0; t--) {
        labels.add("label " + random.nextInt(30));
      }
      classes.add(List.copyOf(labels));
    }
    var file = Files.createTempFile("megaclass-test", ".mcd");
    try {
      try (var writer = DatasetWriter.text(file)) {
        for (int i = 0; i < numExamples; i++) {
          writer.add(texts.get(i), classes.get(i).toArray(String[]::new));
          assertEquals(i + 1, writer.numExamples());
        }
        writer.finish();
      }
      try (var data = Dataset.open(file)) {
        assertEquals(numExamples, data.numExamples());
        for (int i = 0; i < numExamples; i++) {
          assertEquals(texts.get(i), string(data.text(i)));
          assertEquals(classes.get(i).size(), data.numTargets(i));
          for (int t = 0; t < data.numTargets(i); t++) {
            assertEquals(classes.get(i).get(t), data.labels().label(data.target(i, t)));
          }
        }
      }
    } finally {
      Files.delete(file);
    }
  }

  @Test
  void denseRowsAreWrittenAsTheyAre() {
    var file = folder.resolve("a.mcd");
    var random = new Random(1);
    var rows = new float[100][17];
    try (var writer = DatasetWriter.dense(file, 17)) {
      for (var row : rows) {
        for (int i = 0; i < row.length; i++) {
          row[i] = random.nextFloat() - 0.5f;
        }
        writer.add(row, "label " + random.nextInt(5));
      }
      writer.source("random rows").finish();
    }
    try (var data = Dataset.open(file)) {
      assertEquals(FeatureKind.DENSE, data.kind());
      assertEquals(17, data.featureDim());
      assertEquals("a.mcd", data.description());
      assertEquals("random rows", data.source());
      for (int i = 0; i < 100; i++) {
        assertArrayEquals(rows[i], data.features(i));
        assertEquals(1, data.numTargets(i));
      }
      assertEquals(0, data.rows().address() % 64);
    }
  }

  @Test
  void targetOffsetsAreStoredOnlyWhenAnExampleHasSeveralTargets() {
    var one = folder.resolve("one.mcd");
    var many = folder.resolve("many.mcd");
    try (var writer = DatasetWriter.text(one);
        var other = DatasetWriter.text(many)) {
      for (int i = 0; i < 100; i++) {
        writer.add("text", "a");
        other.add("text", i == 50 ? new String[] {"a", "b"} : new String[] {"b"});
      }
      writer.finish();
      other.finish();
    }
    assertFalse(sections(one).contains("targets.offsets"));
    assertTrue(sections(many).contains("targets.offsets"));
    try (var data = Dataset.open(many)) {
      assertEquals(1, data.numTargets(49));
      assertEquals(2, data.numTargets(50));
      assertEquals(1, data.numTargets(51));
      assertEquals("a", data.labels().label(data.target(50, 0)));
      assertEquals("b", data.labels().label(data.target(51, 0)));
      assertArrayEquals(new long[] {100, 1}, data.classCounts());
    }
  }

  @Test
  void filesThatShareADictionaryHaveTheSameIds() {
    var train = folder.resolve("train.mcd");
    var test = folder.resolve("test.mcd");
    try (var labels = new Labels.Builder()) {
      try (var first = DatasetWriter.text(train, labels);
          var second = DatasetWriter.text(test, labels)) {
        second.add("x", "b");
        first.add("y", "a");
        second.add("z", "a");
        first.finish();
        second.finish();
      }
      assertEquals(2, labels.size(), "still open");
    }
    try (var first = Dataset.open(train);
        var second = Dataset.open(test)) {
      assertEquals(2, first.numClasses());
      assertEquals(2, second.numClasses());
      assertEquals(1, first.target(0, 0));
      assertEquals(0, second.target(0, 0));
      assertEquals(1, second.target(1, 0));
      assertArrayEquals(new long[] {0, 1}, first.classCounts());
    }
  }

  @Test
  void equalExamplesGiveEqualFiles() throws IOException {
    for (var name : List.of("a.mcd", "b.mcd")) {
      try (var writer = DatasetWriter.text(folder.resolve(name))) {
        for (int i = 0; i < 1000; i++) {
          writer.add("text " + i, "label " + i % 77);
        }
        writer.finish();
      }
    }
    assertEquals(-1, Files.mismatch(folder.resolve("a.mcd"), folder.resolve("b.mcd")));
  }

  @Test
  void aWriterClosedWithoutFinishLeavesNothing() throws IOException {
    try (var writer = DatasetWriter.text(folder.resolve("a.mcd"))) {
      writer.add("x", "a", "b");
    }
    try (var files = Files.list(folder)) {
      assertEquals(List.of(), files.toList());
    }
  }

  @Test
  void badExamplesAreRefused() {
    try (var text = DatasetWriter.text(folder.resolve("a.mcd"));
        var dense = DatasetWriter.dense(folder.resolve("b.mcd"), 2)) {
      text.add("x", "a");
      assertError("example 1 has no class", () -> text.add("y"));
      assertError("example 1 has class 0 twice", () -> text.add("y", "a", "b", "a"));
      assertError("a label must not be empty", () -> text.add("y", ""));
      assertError(
          "class id of example 1 must be in [0, 1], but was 2",
          () -> text.add("y".getBytes(UTF_8), 2));
      assertError(
          "example 0 has 3 features, expected 2", () -> dense.add(new float[] {1, 2, 3}, "a"));
      assertError(
          "feature 1 of example 0 is NaN; features must be finite",
          () -> dense.add(new float[] {1, Float.NaN}, "a"));
      assertEquals(
          "this file takes text, not dense rows",
          assertThrows(IllegalStateException.class, () -> text.add(new float[] {1}, "a"))
              .getMessage());
      assertEquals(
          "this file takes dense rows, not text",
          assertThrows(IllegalStateException.class, () -> dense.add("x", "a")).getMessage());
      assertEquals(1, text.numExamples());
      assertEquals(0, dense.numExamples());
    }
    assertError(
        "featureDim must be at least 1, but was 0",
        () -> DatasetWriter.dense(folder.resolve("c.mcd"), 0).close());
  }

  @Test
  void dataFilesWithBadContentAreRefused() {
    assertBadFile(
        "has no section \"meta\"; it has [x]",
        writer -> writer.section("x", MemorySegment.ofArray(new byte[1])));
    assertBadFile(
        "section \"meta\" cannot be read: line 1 must be \"key = value\", but was \"nonsense\"",
        writer -> meta(writer, "nonsense"));
    assertBadFile(
        "section \"meta\" cannot be read: \"feature-dim\" is missing",
        writer -> meta(writer, "features = TEXT\n"));
    assertBadFile(
        "section \"rows\" has 8 bytes, expected 24; write the file anew",
        writer -> {
          meta(writer, "features = DENSE\nfeature-dim = 2\nexamples = 3\n");
          writer.section("rows", MemorySegment.ofArray(new byte[8]));
        });
  }

  @Test
  void aModelFileIsNoDataFile() {
    var file = folder.resolve("a.mcm");
    try (var writer = new SectionFile.Writer(file, "MODL", 1)) {
      writer.finish();
    }
    assertEquals(
        file + ": is a model file, expected a data file",
        assertThrows(InvalidFileException.class, () -> Dataset.open(file)).getMessage());
    var missing = folder.resolve("missing.mcd");
    assertEquals(
        missing + ": no such file or folder",
        assertThrows(InvalidFileException.class, () -> Dataset.open(missing)).getMessage());
  }

  private interface Content {
    void write(SectionFile.Writer writer);
  }

  private void assertBadFile(String expected, Content content) {
    var file = folder.resolve("bad.mcd");
    try (var writer = new SectionFile.Writer(file, "DATA", 1)) {
      content.write(writer);
      writer.finish();
    }
    var e = assertThrows(InvalidFileException.class, () -> Dataset.open(file));
    assertEquals(file + ": " + expected, e.getMessage());
  }

  private static void meta(SectionFile.Writer writer, String text) {
    writer.section("meta", MemorySegment.ofArray(text.getBytes(UTF_8)));
  }

  private static void assertError(String expected, Runnable action) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, action::run).getMessage());
  }

  private static List<String> sections(Path file) {
    try (var arena = Arena.ofConfined()) {
      return SectionFile.open(file, "DATA", 1, arena).sections().stream()
          .map(SectionFile.SectionInfo::name)
          .toList();
    }
  }

  private static String string(MemorySegment utf8) {
    return new String(utf8.toArray(ValueLayout.JAVA_BYTE), UTF_8);
  }
}
