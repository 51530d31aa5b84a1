// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.concurrent.ForkJoinPool;
import java.util.function.UnaryOperator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class PlantedClassesTest {
  private static final PlantedClasses SMALL =
      PlantedClasses.defaults().withNumClasses(100).withDim(16).withExamplesPerClass(10);

  @Test
  void theSameSettingsGiveTheSameSetOnAnyNumberOfThreads() throws Exception {
    var spec = SMALL.withNumClasses(3000).withFlippedShare(0.1).withWarped(true);
    long hash = hash(spec);
    for (int threads : new int[] {1, 3}) {
      try (var pool = new ForkJoinPool(threads)) {
        assertEquals(hash, pool.submit(() -> hash(spec)).get());
      }
    }
  }

  @Test
  void setsNeverChange() {
    // Results of comparisons are kept: the same settings must mean the same data in every release.
    var row = new PlantedExamples(SMALL.withDim(2)).features(5);
    assertArrayEquals(new float[] {-1.3812206f, -1.7402475f}, row, 1e-6f, Arrays.toString(row));
    var warped = new PlantedExamples(SMALL.withDim(2).withWarped(true)).features(5);
    assertArrayEquals(
        new float[] {1.2142843f, -0.8982196f}, warped, 1e-6f, Arrays.toString(warped));
  }

  @Test
  void everySettingMatters() {
    long hash = hash(SMALL);
    for (UnaryOperator<PlantedClasses> change :
        java.util.List.<UnaryOperator<PlantedClasses>>of(
            s -> s.withNumClasses(101),
            s -> s.withDim(17),
            s -> s.withExamplesPerClass(11),
            s -> s.withNoise(0.5f),
            s -> s.withNumFamilies(11),
            s -> s.withSpread(0.4f),
            s -> s.withZipfExponent(1),
            s -> s.withFlippedShare(0.1),
            s -> s.withWarped(true),
            s -> s.withSample(1),
            s -> s.withSeed(43))) {
      var changed = change.apply(SMALL);
      assertNotEquals(SMALL, changed);
      assertNotEquals(hash, hash(changed), changed.toString());
    }
    assertEquals(hash, hash(SMALL.withNumFamilies(10)), "the root of 100 classes");
  }

  @Test
  void theSetInMemoryIsTheSource() {
    var examples = new PlantedExamples(SMALL.withFlippedShare(0.2));
    try (var data = Dataset.synthetic(SMALL.withFlippedShare(0.2));
        var labels = new Labels.Builder();
        var read = Dataset.read(examples, labels)) {
      assertEquals(1000, data.numExamples());
      assertEquals(1000, examples.numExamples());
      assertEquals(FeatureKind.DENSE, data.kind());
      assertEquals(16, data.featureDim());
      assertEquals(data.contentHash(), read.contentHash());
      assertEquals(data.description(), examples.description());
      for (int i = 0; i < 1000; i++) {
        assertArrayEquals(examples.features(i), data.features(i));
        assertEquals(examples.labelledClass(i), data.target(i, 0));
        assertEquals("class-" + examples.labelledClass(i), data.labels().label(data.target(i, 0)));
      }
    }
  }

  @Property(tries = 100)
  void classesHaveEqualNumbersOfExamples(
      @ForAll @IntRange(min = 2, max = 300) int numClasses,
      @ForAll @IntRange(min = 1, max = 20) int examplesPerClass) {
    var counts =
        trueCounts(
            SMALL.withNumClasses(numClasses).withExamplesPerClass(examplesPerClass).withDim(1));
    assertTrue(Arrays.stream(counts).allMatch(count -> count == examplesPerClass));
  }

  @Test
  void zipfCountsFallWithTheClassId() {
    int numClasses = 2000;
    var spec = SMALL.withNumClasses(numClasses).withExamplesPerClass(20).withZipfExponent(1);
    var counts = trueCounts(spec.withDim(1));
    assertEquals(20 * numClasses, Arrays.stream(counts).sum());
    double harmonic = 0;
    for (int c = 0; c < numClasses; c++) {
      harmonic += 1.0 / (c + 1);
    }
    for (int c = 0; c < numClasses; c++) {
      double expected = 2 + 18.0 * numClasses / (c + 1) / harmonic;
      assertEquals(expected, counts[c], 1, "class " + c);
      assertTrue(counts[c] >= 2, "class " + c);
    }
  }

  @Test
  void theGivenShareOfLabelsIsFlippedToAnyOtherClass() {
    var spec = SMALL.withExamplesPerClass(200).withFlippedShare(0.2);
    var examples = new PlantedExamples(spec);
    var flips = new int[100];
    var clean = new PlantedExamples(spec.withFlippedShare(0));
    for (int i = 0; i < 20_000; i++) {
      assertEquals(clean.trueClass(i), examples.trueClass(i));
      assertEquals(clean.trueClass(i), clean.labelledClass(i));
      assertArrayEquals(clean.features(i), examples.features(i), "only the label is wrong");
      if (examples.labelledClass(i) != examples.trueClass(i)) {
        flips[examples.labelledClass(i)]++;
      }
    }
    assertEquals(0.2, Arrays.stream(flips).sum() / 20_000.0, 0.01);
    for (int c = 0; c < 100; c++) {
      assertEquals(40, flips[c], 25, "class " + c);
    }
  }

  @Test
  void examplesOfAllClassesAreMixed() {
    var examples = new PlantedExamples(SMALL);
    int seen =
        (int) java.util.stream.IntStream.range(0, 100).map(examples::trueClass).distinct().count();
    assertTrue(seen > 50, seen + " classes in the first 100 examples");
  }

  @Test
  void anotherSampleHasOtherExamplesOfTheSameClasses() {
    double within = accuracy(SMALL.withNoise(0.2f), SMALL.withNoise(0.2f).withSample(1));
    assertEquals(1, within, 0.001);
    double foreign = accuracy(SMALL.withNoise(0.2f), SMALL.withNoise(0.2f).withSeed(1));
    assertTrue(foreign < 0.1, "other classes: " + foreign);
  }

  @Test
  void familiesAreConfusable() {
    // What the nearest class mean gets wrong is nearly always another class of the same family.
    var spec = SMALL.withNumClasses(400).withNoise(1.2f);
    int errors = 0;
    int inFamily = 0;
    var means = means(spec);
    var test = new PlantedExamples(spec.withSample(1));
    for (int i = 0; i < test.numExamples(); i++) {
      int found = nearest(means, test.features(i));
      if (found != test.trueClass(i)) {
        errors++;
        inFamily += spec.family(found) == spec.family(test.trueClass(i)) ? 1 : 0;
      }
    }
    assertTrue(errors > 400, errors + " errors");
    assertTrue(inFamily > 0.6 * errors, inFamily + " of " + errors + " in the family");
    // Without families the same noise confuses hardly any classes.
    double independent =
        accuracy(spec.withNumFamilies(400), spec.withNumFamilies(400).withSample(1));
    double families = accuracy(spec, spec.withSample(1));
    assertTrue(independent > families + 0.2, independent + " against " + families);
  }

  @Test
  void accuracyOfTheNearestClassMeanFallsWithNoise() {
    double last = 1.01;
    for (float noise : new float[] {0.2f, 0.8f, 1.2f, 1.6f, 2.4f}) {
      var spec = SMALL.withNumClasses(400).withNoise(noise);
      double accuracy = accuracy(spec, spec.withSample(1));
      assertTrue(accuracy < last, "noise " + noise + ": " + accuracy + " after " + last);
      last = accuracy;
    }
    assertTrue(last < 0.4, "noise 2.4: " + last);
  }

  @Test
  void warpedRowsNeedABackbone() {
    var spec = SMALL.withNumClasses(400).withNoise(1f);
    double plain = accuracy(spec, spec.withSample(1));
    var warped = spec.withWarped(true);
    double hard = accuracy(warped, warped.withSample(1));
    assertTrue(hard < plain - 0.02, hard + " against " + plain);
    assertTrue(hard > 0.1, "but not hopeless: " + hard);
  }

  @Test
  void coordinatesAreAboutNormal() {
    var spec = SMALL.withDim(1).withNoise(1000f).withNumClasses(1000).withExamplesPerClass(100);
    var examples = new PlantedExamples(spec);
    double sum = 0;
    double squares = 0;
    double fourth = 0;
    int n = 100_000;
    for (int i = 0; i < n; i++) {
      double x = examples.features(i)[0] / 1000;
      sum += x;
      squares += x * x;
      fourth += x * x * x * x;
    }
    assertEquals(0, sum / n, 0.01);
    assertEquals(1, squares / n, 0.01);
    assertEquals(2.7, fourth / n, 0.05, "3 for a normal, 1.8 for a uniform distribution");
  }

  @Test
  void settingsAreChecked() {
    assertError("numClasses must be in [2, 2147483639], but was 1", () -> SMALL.withNumClasses(1));
    assertError("dim must be in [1, 1048576], but was 0", () -> SMALL.withDim(0));
    assertError(
        "dim must be in [1, 8192], but was 8193", () -> SMALL.withDim(8193).withWarped(true));
    assertError(
        "examplesPerClass must be at least 1, but was 0", () -> SMALL.withExamplesPerClass(0));
    assertError("seenClasses must be in [0, 100], but was 101", () -> SMALL.withSeenClasses(101));
    assertError("noise must be in [0.0, 1000.0], but was -1.0", () -> SMALL.withNoise(-1));
    assertError("numFamilies must be in [0, 100], but was 101", () -> SMALL.withNumFamilies(101));
    assertError("spread must be in [0.0, 1000.0], but was NaN", () -> SMALL.withSpread(Float.NaN));
    assertError(
        "zipfExponent must be in [0.0, 10.0], but was 11.0", () -> SMALL.withZipfExponent(11));
    assertError("flippedShare must be in [0.0, 1.0), but was 1.0", () -> SMALL.withFlippedShare(1));
    assertError("sample must be in [0, 2147483647], but was -1", () -> SMALL.withSample(-1));
  }

  @Test
  void theTextNamesEverySetting() {
    assertEquals(
        "synthetic(numClasses=100, dim=16, examplesPerClass=10, noise=1.0, numFamilies=10,"
            + " spread=0.5, zipfExponent=0.0, flippedShare=0.0, warped=false, sample=0, seed=42)",
        SMALL.toString());
  }

  /** And the same ones in every sample, so that what was trained can be tested. */
  @Test
  void onlySomeClassesHaveExamplesWhenTheyAreLimited() {
    for (double zipf : new double[] {0, 1}) {
      var spec = SMALL.withZipfExponent(zipf).withSeenClasses(7);
      long[] counts = countsOf(spec);
      assertEquals(100, counts.length);
      assertEquals(7, Arrays.stream(counts).filter(count -> count > 0).count());
      assertEquals(70, Arrays.stream(counts).sum());
      long[] test = countsOf(spec.withSample(1).withExamplesPerClass(3));
      for (int c = 0; c < 100; c++) {
        assertEquals(counts[c] > 0, test[c] > 0, "class " + c);
      }
    }
    assertTrue(SMALL.withSeenClasses(7).toString().contains("seenClasses=7, "));
  }

  private static long[] countsOf(PlantedClasses spec) {
    try (var data = Dataset.synthetic(spec)) {
      return data.classCounts();
    }
  }

  private static void assertError(String expected, Runnable action) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, action::run).getMessage());
  }

  private static long hash(PlantedClasses spec) {
    try (var data = Dataset.synthetic(spec)) {
      return data.contentHash();
    }
  }

  private static int[] trueCounts(PlantedClasses spec) {
    var examples = new PlantedExamples(spec);
    var counts = new int[spec.numClasses()];
    for (long i = 0; i < examples.numExamples(); i++) {
      counts[examples.trueClass(i)]++;
    }
    return counts;
  }

  private static double accuracy(PlantedClasses train, PlantedClasses test) {
    var means = means(train);
    var examples = new PlantedExamples(test);
    int right = 0;
    for (int i = 0; i < examples.numExamples(); i++) {
      right += nearest(means, examples.features(i)) == examples.trueClass(i) ? 1 : 0;
    }
    return (double) right / examples.numExamples();
  }

  private static float[][] means(PlantedClasses spec) {
    var examples = new PlantedExamples(spec);
    var means = new float[spec.numClasses()][spec.dim()];
    for (int i = 0; i < examples.numExamples(); i++) {
      var row = examples.features(i);
      var mean = means[examples.trueClass(i)];
      for (int j = 0; j < row.length; j++) {
        mean[j] += row[j] / spec.examplesPerClass();
      }
    }
    return means;
  }

  private static int nearest(float[][] means, float[] row) {
    int best = 0;
    float least = Float.MAX_VALUE;
    for (int c = 0; c < means.length; c++) {
      float distance = 0;
      for (int j = 0; j < row.length; j++) {
        float difference = means[c][j] - row[j];
        distance += difference * difference;
      }
      if (distance < least) {
        least = distance;
        best = c;
      }
    }
    return best;
  }
}
