// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import megaclass.internal.LittleEndian;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetTest {
  @TempDir Path folder;

  @Test
  void denseRowsAreReadAsGiven() {
    var features = new float[][] {{1, 2, 3}, {-1, 0.5f, Float.MIN_VALUE}, {4, 5, 6}};
    try (var data = Dataset.of(features, new String[] {"b", "a", "b"})) {
      assertEquals(3, data.numExamples());
      assertEquals(2, data.numClasses());
      assertEquals(3, data.featureDim());
      assertEquals(FeatureKind.DENSE, data.kind());
      for (int i = 0; i < 3; i++) {
        assertArrayEquals(features[i], data.features(i));
        assertArrayEquals(features[i], data.row(i).toArray(LittleEndian.FLOAT));
        assertEquals(12L * i, data.rowOffset(i));
      }
      assertEquals(36, data.rows().byteSize());
      assertEquals(0, data.rows().address() % 64);
      assertTrue(data.rows().isReadOnly());
      assertEquals(0, data.target(0, 0));
      assertEquals(1, data.target(1, 0));
      assertEquals(1, data.numTargets(2));
      assertEquals("b", data.labels().label(0));
      assertArrayEquals(new long[] {2, 1}, data.classCounts());
      assertEquals(2, data.classCount(0));
      assertEquals("data in memory: 3 examples, 2 classes", data.toString());
    }
  }

  @Test
  void textsAreReadAsGiven() {
    var texts = new String[] {"", "kot", "żółw 🐢"};
    try (var data = Dataset.of(texts, new String[] {"a", "b", "c"})) {
      assertEquals(FeatureKind.TEXT, data.kind());
      assertEquals(0, data.featureDim());
      for (int i = 0; i < 3; i++) {
        assertEquals(texts[i], string(data.text(i)));
        assertEquals(texts[i].getBytes(UTF_8).length, data.textLength(i));
      }
      assertEquals(3, data.textOffset(2));
      assertEquals("kotżółw 🐢", string(data.textBytes()));
      assertTrue(data.textBytes().isReadOnly());
    }
  }

  @Test
  void theOtherKindOfFeaturesIsRefused() {
    try (var text = Dataset.of(new String[] {"x"}, new String[] {"a"});
        var dense = Dataset.of(new float[][] {{1}}, new String[] {"a"})) {
      assertEquals(
          "the features of this data set are text, not dense rows",
          assertThrows(IllegalStateException.class, () -> text.features(0)).getMessage());
      assertThrows(IllegalStateException.class, () -> text.row(0));
      assertEquals(
          "the features of this data set are dense rows, not text",
          assertThrows(IllegalStateException.class, () -> dense.text(0)).getMessage());
    }
  }

  @Test
  void examplesOutsideAreRefused() {
    try (var data = Dataset.of(new String[] {"x", "y"}, new String[] {"a", "a"})) {
      for (long example : new long[] {-1, 2}) {
        assertThrows(IndexOutOfBoundsException.class, () -> data.text(example));
        assertThrows(IndexOutOfBoundsException.class, () -> data.target(example, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> data.numTargets(example));
      }
      assertThrows(IndexOutOfBoundsException.class, () -> data.target(0, 1));
      assertThrows(IndexOutOfBoundsException.class, () -> data.classCount(1));
    }
  }

  @Test
  void badExamplesAreRefused() {
    var two = new float[][] {{1, 2}, {3, Float.NaN}};
    var labels = new String[] {"a", "b"};
    assertEquals("feature 1 of example 1 is NaN; features must be finite", error(two, labels));
    assertEquals(
        "feature 0 of example 0 is -Infinity; features must be finite",
        error(new float[][] {{Float.NEGATIVE_INFINITY, 2}, {3, 4}}, labels));
    assertEquals(
        "example 1 has 1 features, expected 2", error(new float[][] {{1, 2}, {3}}, labels));
    assertEquals(
        "got 2 examples but 1 labels; give one label an example", error(two, new String[] {"a"}));
    assertEquals("a label must not be empty", error(two, new String[] {"", "b"}));
  }

  @Test
  void nothingCanBeReadFromAClosedSet() {
    var data = Dataset.of(new String[] {"x", "y"}, new String[] {"a", "a"});
    var view = data.split(0.5, 1).train();
    view.close();
    assertEquals("x", string(data.text(0)), "closing a view does nothing");
    data.close();
    assertThrows(IllegalStateException.class, () -> string(data.text(0)));
    assertThrows(IllegalStateException.class, () -> data.target(0, 0));
  }

  @Test
  void savedSetsAreReadAgain() {
    var file = folder.resolve("a.mcd");
    long hash;
    try (var data = Dataset.of(new float[][] {{1, 2}, {3, 4}}, new String[] {"b", "a"})) {
      data.save(file);
      hash = data.contentHash();
    }
    try (var data = Dataset.open(file)) {
      assertEquals("a.mcd: 2 examples, 2 classes", data.toString());
      assertArrayEquals(new float[] {3, 4}, data.features(1));
      assertEquals("a", data.labels().label(data.target(1, 0)));
      assertEquals(hash, data.contentHash(), "where the bytes lie makes no difference");
    }
  }

  @Test
  void savedViewsKeepTheIdsOfAllClasses() {
    var file = folder.resolve("a.mcd");
    var texts = IntStream.range(0, 200).mapToObj(i -> "text " + i).toArray(String[]::new);
    var labels = IntStream.range(0, 200).mapToObj(i -> "label " + i / 2).toArray(String[]::new);
    try (var data = Dataset.of(texts, labels)) {
      var test = data.split(0.1, 3).test();
      test.save(file);
      try (var saved = Dataset.open(file)) {
        assertEquals(100, saved.numClasses());
        assertEquals(test.numExamples(), saved.numExamples());
        for (long i = 0; i < saved.numExamples(); i++) {
          assertEquals(string(test.text(i)), string(saved.text(i)));
          assertEquals(test.target(i, 0), saved.target(i, 0));
        }
        assertArrayEquals(test.classCounts(), saved.classCounts());
      }
    }
  }

  @Test
  void contentHashTellsSetsApart() {
    var hashes =
        List.of(
            hash(new String[] {"x", "y"}, "a", "b"),
            hash(new String[] {"x", "z"}, "a", "b"),
            hash(new String[] {"xy", ""}, "a", "b"),
            hash(new String[] {"x", "y"}, "a", "a"),
            hash(new String[] {"x", "y"}, "b", "a"),
            hash(new String[] {"x"}, "a"));
    assertEquals(hashes.size(), hashes.stream().distinct().count());
    assertEquals(hashes.getFirst(), hash(new String[] {"x", "y"}, "a", "b"));
  }

  @Test
  void contentHashTellsViewsApart() {
    var texts = IntStream.range(0, 100).mapToObj(i -> "text " + i).toArray(String[]::new);
    var labels = IntStream.range(0, 100).mapToObj(i -> "a").toArray(String[]::new);
    try (var data = Dataset.of(texts, labels)) {
      var split = data.split(0.3, 1);
      assertNotEquals(split.train().contentHash(), split.test().contentHash());
      assertNotEquals(split.train().contentHash(), data.contentHash());
      assertEquals(split.train().contentHash(), data.split(0.3, 1).train().contentHash());
      assertEquals(
          "data in memory, test part of split(testShare=0.3, minExamplesPerClass=2, seed=1)",
          split.test().description());
    }
  }

  @Test
  void aSourceIsReadIntoMemoryWithKnownClassIds() {
    var source =
        new ListSource(
            List.of(
                ListSource.line("kota", "kot"),
                ListSource.line("kota", "kota"),
                ListSource.line("psa", "pies")));
    try (var known = new Labels.Builder(Labels.of(List.of("pies", "kot")));
        var data = Dataset.read(source, known)) {
      assertEquals(2, data.numExamples());
      assertEquals(3, data.numClasses());
      assertEquals(2, data.numTargets(0));
      assertEquals(1, data.target(0, 0));
      assertEquals(2, data.target(0, 1));
      assertEquals(0, data.target(1, 0));
      assertEquals("a list", data.description());
    }
  }

  @Test
  void classesAreCountedOnceAndSafelyFromManyThreads() {
    try (var data = Dataset.synthetic(PlantedClasses.defaults())) {
      var wrong = new AtomicInteger();
      IntStream.range(0, 64)
          .parallel()
          .forEach(i -> wrong.addAndGet(data.classCount(i) == 20 ? 0 : 1));
      assertEquals(0, wrong.get());
      data.classCounts()[0] = 99;
      assertEquals(20, data.classCount(0), "a copy was given out");
    }
  }

  @Test
  void viewsShareTheLabels() {
    try (var data = Dataset.of(new String[] {"x", "y"}, new String[] {"a", "b"})) {
      assertSame(data.labels(), data.split(0.5, 1).test().labels());
    }
  }

  @Test
  void rowsBeyondTwoGibibytesAreRead() throws IOException {
    // A sparse file stands for a large set: only the pages written to exist.
    int dim = 1024;
    long numExamples = 1_000_000;
    var arena = Arena.ofShared();
    var file = folder.resolve("sparse");
    try (var channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      var rows = channel.map(FileChannel.MapMode.READ_WRITE, 0, numExamples * dim * 4, arena);
      rows.set(LittleEndian.FLOAT, ((numExamples - 1) * dim + 7) * 4, 42f);
      var targets = arena.allocate(numExamples * 4, 64);
      var store =
          new ExampleStore(
              arena,
              Layout.dense(dim),
              numExamples,
              rows,
              MemorySegment.NULL,
              ExampleStore.Names.NONE,
              targets,
              MemorySegment.NULL,
              Labels.of(List.of("a")));
      try (var data = Dataset.of(store, "sparse")) {
        assertEquals((numExamples - 1) * dim * 4, data.rowOffset(numExamples - 1));
        assertEquals(42f, data.features(numExamples - 1)[7]);
        assertEquals(42f, data.row(numExamples - 1).get(LittleEndian.FLOAT, 28));
      }
    }
  }

  private static long hash(String[] texts, String... labels) {
    try (var data = Dataset.of(texts, labels)) {
      return data.contentHash();
    }
  }

  private static String error(float[][] features, String[] labels) {
    var e =
        assertThrows(IllegalArgumentException.class, () -> Dataset.of(features, labels).close());
    return String.valueOf(e.getMessage());
  }

  private static String string(MemorySegment utf8) {
    return new String(utf8.toArray(ValueLayout.JAVA_BYTE), UTF_8);
  }
}
