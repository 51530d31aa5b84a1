// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import megaclass.TestBackend;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.internal.LittleEndian;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A forest as sections of a file, its bytes, and what is said about bytes that are no forest. */
class ForestFileTest {
  private static final int NUM_CLASSES = 300;

  private static HashingForest forest(int numTrees, int leafSize, int threads) {
    var settings = new HashingForest.Settings(numTrees, leafSize);
    try (var engine = Engine.start(TestBackend.NAME, threads);
        var rows = Clouds.matrix(Clouds.normal(new SplittableRandom(3), NUM_CLASSES, 17))) {
      return HashingForest.build(rows, true, settings, 11, engine);
    }
  }

  /** The sections of a forest, which may be gone then. */
  private static Map<String, byte[]> sections(HashingForest forest) {
    var sections = new LinkedHashMap<String, byte[]>();
    forest
        .sections()
        .forEach((name, bytes) -> sections.put(name, bytes.toArray(ValueLayout.JAVA_BYTE)));
    return sections;
  }

  private static void assertSame(Map<String, byte[]> expected, Map<String, byte[]> actual) {
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach((name, bytes) -> assertArrayEquals(bytes, actual.get(name), name));
  }

  private static HashingForest read(Map<String, byte[]> sections) {
    return HashingForest.read(
        name -> MemorySegment.ofArray(Objects.requireNonNull(sections.get(name))),
        ComputeBackend.named(TestBackend.NAME));
  }

  /** All bits of the forest, hyperplanes too. */
  @Test
  void theForestIsTheSameForAnyNumberOfThreads() {
    try (var one = forest(20, 9, 1)) {
      var expected = sections(one);
      for (int threads : new int[] {2, 3, 19}) {
        try (var same = forest(20, 9, threads)) {
          assertSame(expected, sections(same));
        }
      }
    }
  }

  @Test
  void aForestThatWasReadAnswersAsTheOneThatWasWritten() {
    for (int leafSize : new int[] {1, 9, NUM_CLASSES}) {
      try (var engine = Engine.start(TestBackend.NAME, 2);
          var queries = Clouds.matrix(Clouds.normal(new SplittableRandom(4), 50, 17));
          var forest = forest(3, leafSize, 2)) {
        var sections = sections(forest);
        try (var read = read(sections)) {
          for (int atLeast : new int[] {0, 100}) {
            assertArrayEquals(
                forest.candidates(Clouds.addresses(queries), atLeast, engine.workers()),
                read.candidates(Clouds.addresses(queries), atLeast, engine.workers()));
          }
          assertEquals(forest.settings(), read.settings());
          assertEquals(forest.shape(2), read.shape(2));
          assertEquals(forest.sizeInBytes(), read.sizeInBytes());
          assertSame(sections, sections(read));
        }
      }
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
  void settingsThatAreNoneAreNamed(UnaryOperator<byte[]> damage, String message) {
    assertNamed("meta", damage, message);
  }

  /** The forest of these tests has 2 trees; its stride is 32, so a node has 48 bytes. */
  static Stream<Arguments> damages() {
    return Stream.of(
        Arguments.of("nodes.0", integer(8, 0), "has a wrong child 0 at node 0"),
        Arguments.of("nodes.0", integer(12, 1), "has a wrong child 1 at node 0"),
        Arguments.of("nodes.0", integer(56, 43), "has a wrong child 43 at node 1"),
        Arguments.of("nodes.0", integer(56, ~44), "has a wrong child -45 at node 1"),
        Arguments.of("leaves.0", integer(4, 0), "has 0 classes in leaf 0, expected 1 to 9"),
        Arguments.of("leaves.0", integer(4, 10), "has 10 classes in leaf 0, expected 1 to 9"),
        Arguments.of("leaves.0", integer(0, 1), "does not cover the 300 classes"),
        Arguments.of("classes.0", integer(4 * 299, 300), "has class 300 twice or in vain"),
        Arguments.of("classes.1", integer(0, -1), "has class -1 twice or in vain"),
        Arguments.of(
            "classes.0",
            (UnaryOperator<byte[]>) bytes -> integer(4 * 1, 5).apply(integer(0, 5).apply(bytes)),
            "has class 5 twice or in vain"));
  }

  @ParameterizedTest
  @MethodSource("damages")
  void bytesThatAreNoForestAreNamed(String section, UnaryOperator<byte[]> damage, String message) {
    assertNamed(section, damage, message + "; build the forest anew");
  }

  static Stream<Arguments> lengths() {
    return Stream.of(
        Arguments.of("nodes.0", 48 * 43 + 1, "has 2065 bytes, expected 2064"),
        Arguments.of("leaves.0", 8, "has 8 bytes, expected 180"),
        Arguments.of("classes.0", 8, "has 8 bytes, expected 1200"));
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void sectionsOfAnotherLengthAreNamed(String section, int length, String message) {
    assertNamed(section, _ -> new byte[length], message + "; build the forest anew");
  }

  private static void assertNamed(String section, UnaryOperator<byte[]> damage, String message) {
    Map<String, byte[]> sections;
    try (var forest = forest(2, 9, 1)) {
      sections = sections(forest);
    }
    sections.computeIfPresent(section, (_, bytes) -> damage.apply(bytes));
    var e = assertThrows(IllegalArgumentException.class, () -> read(sections));
    assertEquals("section \"%s\" %s".formatted(section, message), e.getMessage());
  }
}
