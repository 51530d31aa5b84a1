// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import megaclass.TestBackend;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.internal.InvalidFileException;
import megaclass.internal.LittleEndian;
import megaclass.internal.SectionFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A forest in a file, its bytes, and what is said about bytes that are no forest. */
class ForestFileTest {
  private static final int NUM_CLASSES = 300;

  @TempDir Path folder;

  private static HashingForest forest(int numTrees, int leafSize, int threads) {
    var settings = new HashingForest.Settings(numTrees, leafSize);
    try (var engine = Engine.start(TestBackend.NAME, threads);
        var rows = Clouds.matrix(Clouds.normal(new SplittableRandom(3), NUM_CLASSES, 17))) {
      return HashingForest.build(rows, true, settings, 11, engine);
    }
  }

  private byte[] write(HashingForest forest, String name) throws IOException {
    try (var file = new SectionFile.Writer(folder.resolve(name), "CKPT", 1)) {
      forest.writeTo(file);
      file.finish();
    }
    return Files.readAllBytes(folder.resolve(name));
  }

  /** All bits of the forest, hyperplanes too. */
  @Test
  void theForestIsTheSameForAnyNumberOfThreads() throws IOException {
    try (var one = forest(20, 9, 1)) {
      byte[] expected = write(one, "one");
      for (int threads : new int[] {2, 3, 19}) {
        try (var same = forest(20, 9, threads)) {
          assertArrayEquals(expected, write(same, "same"), threads + " threads");
        }
      }
    }
  }

  @Test
  void aForestThatWasReadAnswersAsTheOneThatWasWritten() throws IOException {
    for (int leafSize : new int[] {1, 9, NUM_CLASSES}) {
      try (var engine = Engine.start(TestBackend.NAME, 2);
          var queries = Clouds.matrix(Clouds.normal(new SplittableRandom(4), 50, 17));
          var forest = forest(3, leafSize, 2)) {
        byte[] bytes = write(forest, "forest");
        try (var read = read("forest")) {
          for (int atLeast : new int[] {0, 100}) {
            assertArrayEquals(
                forest.candidates(Clouds.addresses(queries), atLeast, engine.workers()),
                read.candidates(Clouds.addresses(queries), atLeast, engine.workers()));
          }
          assertEquals(forest.settings(), read.settings());
          assertEquals(forest.shape(2), read.shape(2));
          assertEquals(forest.sizeInBytes(), read.sizeInBytes());
          assertArrayEquals(bytes, write(read, "again"));
        }
      }
    }
  }

  private HashingForest read(String name) {
    try (var arena = Arena.ofShared()) {
      return HashingForest.read(
          SectionFile.open(folder.resolve(name), "CKPT", 1, arena),
          ComputeBackend.named(TestBackend.NAME));
    }
  }

  // ---- what is no forest ---------------------------------------------------------------------

  private static UnaryOperator<byte[]> text(String from, String to) {
    return bytes ->
        new String(bytes, StandardCharsets.UTF_8)
            .replace(from, to)
            .getBytes(StandardCharsets.UTF_8);
  }

  private static UnaryOperator<byte[]> integer(int at, int value) {
    return bytes -> {
      MemorySegment.ofArray(bytes).set(LittleEndian.INT, at, value);
      return bytes;
    };
  }

  static Stream<Arguments> damagedSettings() {
    return Stream.of(
        Arguments.of(
            text("classes = 300", "classes = many"),
            "has classes = many, expected a number above 0"),
        Arguments.of(text("trees = 2", "trees = 0"), "has trees = 0, expected a number above 0"),
        Arguments.of(text("trees = 2\n", ""), "has trees = missing, expected a number above 0"),
        Arguments.of(
            text("trees = 2", "trees = 20000"),
            "is out of range: numTrees must be in [1, 10000], but was 20000"),
        Arguments.of(
            text("stride = 32", "stride = 33"), "has stride 33, expected a multiple of 16"),
        Arguments.of(
            text("trees = 2", "trees"),
            "cannot be read: line 3 must be \"key = value\", but was \"trees\""));
  }

  @ParameterizedTest
  @MethodSource("damagedSettings")
  void settingsThatAreNoneAreNamed(UnaryOperator<byte[]> damage, String message)
      throws IOException {
    assertNamed("forest.meta", damage, message);
  }

  /** The forest of these tests has 2 trees; its stride is 32, so a node has 48 bytes. */
  static Stream<Arguments> damages() {
    return Stream.of(
        Arguments.of(
            "forest.sizes",
            integer(0, -1),
            "has -1 nodes and 44 leaves for tree 0, expected one leaf more than nodes"),
        Arguments.of(
            "forest.sizes",
            integer(4, 5),
            "has 43 nodes and 5 leaves for tree 0, expected one leaf more than nodes"),
        Arguments.of("forest.nodes", integer(8, 0), "has a wrong child 0 at node 0 of tree 0"),
        Arguments.of("forest.nodes", integer(12, 1), "has a wrong child 1 at node 0 of tree 0"),
        Arguments.of("forest.nodes", integer(56, 43), "has a wrong child 43 at node 1 of tree 0"),
        Arguments.of("forest.nodes", integer(56, ~44), "has a wrong child -45 at node 1 of tree 0"),
        Arguments.of(
            "forest.leaves", integer(4, 0), "has 0 classes in leaf 0 of tree 0, expected 1 to 9"),
        Arguments.of(
            "forest.leaves", integer(4, 10), "has 10 classes in leaf 0 of tree 0, expected 1 to 9"),
        Arguments.of("forest.leaves", integer(0, 1), "does not cover the 300 classes of tree 0"),
        Arguments.of(
            "forest.classes", integer(4 * 299, 300), "has class 300 in tree 0 twice or in vain"),
        Arguments.of(
            "forest.classes", integer(4 * 300, -1), "has class -1 in tree 1 twice or in vain"),
        Arguments.of(
            "forest.classes",
            (UnaryOperator<byte[]>) bytes -> integer(4 * 1, 5).apply(integer(0, 5).apply(bytes)),
            "has class 5 in tree 0 twice or in vain"));
  }

  @ParameterizedTest
  @MethodSource("damages")
  void bytesThatAreNoForestAreNamed(String section, UnaryOperator<byte[]> damage, String message)
      throws IOException {
    assertNamed(section, damage, message + "; build the forest anew");
  }

  @Test
  void sectionsOfAnotherLengthAreNamed() throws IOException {
    assertNamed(
        "forest.classes", _ -> new byte[8], "has 8 bytes, expected 2400; write the file anew");
  }

  private void assertNamed(String section, UnaryOperator<byte[]> damage, String message)
      throws IOException {
    try (var forest = forest(2, 9, 1)) {
      write(forest, "forest");
    }
    rewrite(section, damage);
    var e = assertThrows(InvalidFileException.class, () -> read("damaged"));
    assertEquals(
        "%s: section \"%s\" %s".formatted(folder.resolve("damaged"), section, message),
        e.getMessage());
  }

  private void rewrite(String section, UnaryOperator<byte[]> damage) {
    try (var arena = Arena.ofConfined();
        var file = new SectionFile.Writer(folder.resolve("damaged"), "CKPT", 1)) {
      var good = SectionFile.open(folder.resolve("forest"), "CKPT", 1, arena);
      var sections = new LinkedHashMap<String, byte[]>();
      good.sections()
          .forEach(
              info ->
                  sections.put(
                      info.name(), good.section(info.name()).toArray(ValueLayout.JAVA_BYTE)));
      for (Map.Entry<String, byte[]> entry : sections.entrySet()) {
        byte[] bytes = entry.getValue();
        file.section(
            entry.getKey(),
            MemorySegment.ofArray(entry.getKey().equals(section) ? damage.apply(bytes) : bytes));
      }
      file.finish();
    }
  }
}
