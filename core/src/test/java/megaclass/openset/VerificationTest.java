// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerificationTest {
  private static Verification all(Scene scene, int threads, Bootstrap bootstrap) {
    return scene.on(threads, set -> Verification.of(set, Pairs.all(), bootstrap));
  }

  @ParameterizedTest
  @CsvSource({
    "5, 2, 16, 1",
    "63, 4, 4, 1",
    "64, 5, 16, 3",
    "65, 5, 64, 2",
    "130, 9, 16, 3",
    "200, 3, 64, 2"
  })
  void allPairsAreMeasuredAsTryingEveryThresholdDoes(
      int size, int numClasses, int dim, int threads) {
    var scene = Scene.ofSigns(size, numClasses, dim, 0.5);
    var slow = SlowVerification.ofAll(scene);
    var fast = all(scene, threads, Bootstrap.none());
    long same = IntStream.range(0, slow.scores().length).filter(p -> slow.same()[p]).count();
    assertEquals(same, fast.samePairs());
    assertEquals(slow.scores().length - same, fast.differentPairs());
    assertEquals(slow.equalErrorRate(), fast.equalErrorRate().value(), 1e-12);
    assertEquals(slow.area(), fast.area().value(), 1e-12);
    for (var point : fast.operatingPoints()) {
      boolean tells = fast.differentPairs() * point.falseAcceptRate() >= 1 - 1e-9;
      double expected = tells ? slow.trueAcceptRateAt(point.falseAcceptRate()) : Double.NaN;
      assertEquals(expected, point.trueAcceptRate().value(), 1e-12);
      if (!Double.isNaN(point.threshold())) {
        assertEquals(expected, slow.accepted(true, point.threshold()), 1e-12);
      }
    }
    for (var point : fast.curve()) {
      assertEquals(slow.accepted(true, point.threshold()), point.trueAcceptRate(), 1e-12);
      assertEquals(slow.accepted(false, point.threshold()), point.falseAcceptRate(), 1e-12);
    }
  }

  @Test
  void scoresThatNeverTieAreMeasuredAsWell() {
    var scene = Scene.ofNoise(120, 7, 19);
    var slow = SlowVerification.ofAll(scene);
    var fast = all(scene, 2, Bootstrap.none());
    assertEquals(slow.equalErrorRate(), fast.equalErrorRate().value(), 1e-3);
    assertEquals(slow.area(), fast.area().value(), 1e-4);
    assertTrue(fast.curve().size() <= 300, () -> "points to draw: " + fast.curve().size());
  }

  @Test
  void randomEmbeddingsAreWrongHalfOfTheTime() {
    var verification = all(Scene.ofNoise(2000, 50, 32), 2, Bootstrap.none());
    assertEquals(0.5, verification.equalErrorRate().value(), 0.02);
    assertEquals(0.5, verification.area().value(), 0.02);
    assertEquals(1e-2, verification.operatingPoints().get(1).trueAcceptRate().value(), 5e-3);
  }

  @Test
  void perfectEmbeddingsAreNeverWrong() {
    var verification = all(Scene.perfect(20, 5), 2, new Bootstrap(50, 1));
    assertEquals(new Estimate(0, 0, 0), verification.equalErrorRate());
    assertEquals(new Estimate(1, 1, 1), verification.area());
    assertEquals(1, verification.operatingPoints().get(2).trueAcceptRate().value());
  }

  @Test
  void collapsedEmbeddingsGainNothing() {
    var verification = all(Scene.collapsed(20, 5), 2, Bootstrap.none());
    assertEquals(0.5, verification.equalErrorRate().value());
    assertEquals(0.5, verification.area().value());
    assertEquals(0, verification.operatingPoints().getFirst().trueAcceptRate().value());
  }

  @Test
  void fewerDifferentPairsThanARateTakesSayNothingAboutIt() {
    var verification = all(Scene.perfect(5, 3), 1, Bootstrap.none());
    assertEquals(90, verification.differentPairs());
    var rates = verification.operatingPoints();
    assertEquals(1, rates.getFirst().trueAcceptRate().value());
    assertTrue(Double.isNaN(rates.get(1).trueAcceptRate().value()), "1e-2 of 90 pairs");
  }

  @Test
  void theOrderOfTheSetAndTheThreadsDoNotMatter() {
    var scene = Scene.ofSigns(300, 40, 64, 0.4);
    var bootstrap = new Bootstrap(100, 5);
    var one = all(scene, 1, bootstrap);
    for (var other : List.of(all(scene, 3, bootstrap), all(scene.shuffled(9), 2, bootstrap))) {
      assertEquals(one.equalErrorRate(), other.equalErrorRate());
      assertEquals(one.area(), other.area());
      assertEquals(one.operatingPoints(), other.operatingPoints());
      assertEquals(one.curve(), other.curve());
      assertEquals(one.histogram(), other.histogram());
    }
    assertEquals(one.confused(), all(scene, 3, bootstrap).confused());
  }

  @Test
  void theMostNotablePairsAreThoseOfASortOfAllPairs() {
    var scene = Scene.ofSigns(90, 6, 16, 0.5);
    var verification = all(scene, 3, Bootstrap.none());
    for (boolean same : new boolean[] {true, false}) {
      var expected = new ArrayList<Verification.ScoredPair>();
      for (int a = 0; a < scene.size(); a++) {
        for (int b = a + 1; b < scene.size(); b++) {
          if (scene.same(a, b) == same) {
            expected.add(new Verification.ScoredPair(a, b, scene.score(a, b)));
          }
        }
      }
      expected.sort(Comparator.comparingDouble(pair -> same ? pair.score() : -pair.score()));
      assertEquals(expected.subList(0, 20), same ? verification.missed() : verification.confused());
    }
  }

  @Test
  void theIntervalIsThatOfDrawingClassesAndMeasuringAnew() {
    int numClasses = 20;
    var scene = Scene.ofSigns(80, numClasses, 16, 0.6);
    var fast = all(scene, 2, new Bootstrap(2000, 3));
    var random = new SplittableRandom(4);
    double[] errors = new double[400];
    double[] rates = new double[errors.length];
    for (int r = 0; r < errors.length; r++) {
      var drawn = SlowVerification.ofAll(scene, SlowVerification.draw(numClasses, random));
      errors[r] = drawn.equalErrorRate();
      rates[r] = drawn.trueAcceptRateAt(0.1);
    }
    assertMatches(errors, fast.equalErrorRate(), 0.1);
    assertMatches(rates, fast.operatingPoints().getFirst().trueAcceptRate(), 0.25);
  }

  /** Ends within a share of the width. */
  private static void assertMatches(double[] expected, Estimate estimate, double share) {
    Arrays.sort(expected);
    double low = expected[(int) (0.025 * expected.length)];
    double high = expected[(int) (0.975 * expected.length)];
    double width = high - low;
    assertEquals(low, estimate.low(), share * width);
    assertEquals(high, estimate.high(), share * width);
    assertTrue(estimate.low() <= estimate.value() && estimate.value() <= estimate.high());
  }

  @Test
  void anotherSeedDrawsOtherClasses() {
    var scene = Scene.ofSigns(100, 10, 16, 0.5);
    var one = all(scene, 1, new Bootstrap(100, 1)).area();
    var other = all(scene, 1, new Bootstrap(100, 2)).area();
    assertEquals(one.value(), other.value());
    assertTrue(one.low() != other.low());
  }

  @Test
  void pairsOfOneKindAloneAreRefused() {
    var scene = new Scene(new float[][] {{1, 0}, {0, 1}}, new int[] {0, 1});
    var e = assertThrows(IllegalArgumentException.class, () -> all(scene, 1, Bootstrap.none()));
    assertEquals(
        "verification takes pairs of one class and of different ones, but got 0 and 1",
        e.getMessage());
  }
}
