// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class SplitTest {
  @Property(tries = 100)
  void everyExampleIsInExactlyOnePart(
      @ForAll @DoubleRange(min = 0, max = 0.99) double share,
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 300) int numExamples) {
    var all = examples(numExamples);
    try (var data = data(all)) {
      var split = data.split(share, seed);
      assertEquals(numExamples, split.train().numExamples() + split.test().numExamples());
      var both = new ArrayList<>(texts(split.train()));
      both.addAll(texts(split.test()));
      Collections.sort(both);
      assertEquals(texts(data).stream().sorted().toList(), both);
    }
  }

  @Property(tries = 30)
  void theOrderOfTheExamplesMakesNoDifference(@ForAll long seed) {
    var all = examples(500);
    var shuffled = new ArrayList<>(all);
    Collections.shuffle(shuffled, new Random(seed));
    try (var data = data(all);
        var other = data(shuffled)) {
      assertEquals(testTexts(data, seed), testTexts(other, seed));
    }
  }

  @Test
  void otherExamplesMakeNoDifference() {
    var all = examples(1000);
    try (var whole = data(all);
        var half = data(all.subList(0, 500))) {
      var expected = new TreeSet<>(testTexts(whole, 5));
      expected.retainAll(texts(half));
      assertEquals(expected, testTexts(half, 5));
    }
  }

  @Test
  void theShareIsKeptAndTheSeedChoosesTheExamples() {
    try (var data = data(examples(20_000))) {
      assertNear(2000, data.split(0.1, 1).test().numExamples(), 150);
      assertNear(15_000, data.split(0.75, 1).test().numExamples(), 250);
      assertEquals(0, data.split(0, 1).test().numExamples());
      assertNotEquals(testTexts(data, 1), testTexts(data, 2));
    }
  }

  @Test
  void onlyExamplesWhoseClassesAllHaveEnoughExamplesAreHeldOut() {
    // Label i has i + 1 examples.
    var all = new ArrayList<String[]>();
    for (int label = 0; label < 60; label++) {
      for (int i = 0; i <= label; i++) {
        all.add(new String[] {"text " + label + " " + i, "label " + label});
      }
    }
    try (var data = data(all)) {
      for (int min : new int[] {1, 2, 3, 10, 60, 61}) {
        var test = data.split(0.5, 1, min).test();
        var counts = data.classCounts();
        for (long i = 0; i < test.numExamples(); i++) {
          assertTrue(counts[test.target(i, 0)] >= min);
        }
        long qualifying = 0;
        for (long count : counts) {
          qualifying += count >= min ? count : 0;
        }
        assertNear(qualifying / 2, test.numExamples(), 75);
      }
      assertEquals(testTexts(data, 1), new TreeSet<>(texts(data.split(0.3, 1, 2).test())));
    }
  }

  @Test
  void aRareSecondClassKeepsAnExampleInTheTrainingSet() {
    var lines = new ArrayList<ListSource.Line>();
    for (int i = 0; i < 100; i++) {
      lines.add(ListSource.line("plain " + i, "common"));
      lines.add(ListSource.line("both " + i, "common", "rare " + i));
    }
    try (var labels = new Labels.Builder();
        var data = Dataset.read(new ListSource(lines), labels)) {
      var test = texts(data.split(0.5, 1).test());
      assertTrue(test.size() > 20);
      assertTrue(test.stream().allMatch(text -> text.startsWith("plain")));
    }
  }

  @Test
  void equalTextsStayTogether() {
    var all = new ArrayList<>(examples(500));
    all.addAll(examples(500));
    try (var data = data(all)) {
      var split = data.split(0.5, 1);
      var train = Set.copyOf(texts(split.train()));
      assertTrue(texts(split.test()).stream().noneMatch(train::contains));
    }
  }

  @Test
  void viewsCanBeSplitAgain() {
    try (var data = data(examples(1000))) {
      var first = data.split(0.2, 1);
      var second = first.train().split(0.2, 2);
      assertEquals(
          first.train().numExamples(), second.train().numExamples() + second.test().numExamples());
      var train = Set.copyOf(texts(first.train()));
      assertTrue(train.containsAll(texts(second.test())));
      assertTrue(second.test().numExamples() > 0);
    }
  }

  @Test
  void countsOfAViewAreItsOwn() {
    try (var data = data(examples(1000))) {
      var split = data.split(0.2, 1);
      for (int c = 0; c < data.numClasses(); c++) {
        assertEquals(data.classCount(c), split.train().classCount(c) + split.test().classCount(c));
      }
    }
  }

  @Test
  void splitsNeverChange() {
    try (var data = data(examples(40))) {
      assertEquals(
          "text 14, text 20, text 26, text 29, text 36, text 39, text 4, text 5",
          String.join(", ", testTexts(data, 42)));
    }
  }

  @Test
  void denseRowsAreSplitByTheirBytes() {
    try (var data = Dataset.synthetic(PlantedClasses.defaults())) {
      var split = data.split(0.1, 7);
      assertNear(2000, split.test().numExamples(), 150);
      assertEquals(20_000, split.train().numExamples() + split.test().numExamples());
      long example = split.test().numExamples() - 1;
      assertEquals(64, split.test().features(example).length);
      assertEquals(
          split.test().rowOffset(example),
          split.test().row(example).address() - split.test().rows().address());
    }
  }

  @Test
  void badSettingsAreRefused() {
    try (var data = data(examples(3))) {
      assertEquals(
          "testShare must be in [0.0, 1.0), but was 1.0",
          assertThrows(IllegalArgumentException.class, () -> data.split(1, 1)).getMessage());
      assertEquals(
          "minExamplesPerClass must be at least 1, but was 0",
          assertThrows(IllegalArgumentException.class, () -> data.split(0.1, 1, 0)).getMessage());
    }
  }

  private static void assertNear(long expected, long actual, long tolerance) {
    assertTrue(Math.abs(expected - actual) <= tolerance, actual + " instead of " + expected);
  }

  private static List<String[]> examples(int count) {
    var examples = new ArrayList<String[]>();
    for (int i = 0; i < count; i++) {
      examples.add(new String[] {"text " + i, "label " + i % 3});
    }
    return examples;
  }

  private static Dataset data(List<String[]> examples) {
    return Dataset.of(
        examples.stream().map(e -> e[0]).toArray(String[]::new),
        examples.stream().map(e -> e[1]).toArray(String[]::new));
  }

  private static Set<String> testTexts(Dataset data, long seed) {
    return new TreeSet<>(texts(data.split(0.3, seed).test()));
  }

  private static List<String> texts(Dataset data) {
    var texts = new ArrayList<String>();
    for (long i = 0; i < data.numExamples(); i++) {
      texts.add(new String(data.text(i).toArray(ValueLayout.JAVA_BYTE), UTF_8));
    }
    return texts;
  }
}
