// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Listed and drawn pairs, and their accuracy by ten folds. */
class PairsTest {
  private static List<Pairs.Pair> list(Pairs.Listed pairs) {
    var list = new ArrayList<Pairs.Pair>();
    for (int p = 0; p < pairs.size(); p++) {
      list.add(pairs.pair(p));
    }
    return list;
  }

  private static List<Pairs.Pair> allPairs(Scene scene) {
    var pairs = new ArrayList<Pairs.Pair>();
    for (int a = 0; a < scene.size(); a++) {
      for (int b = a + 1; b < scene.size(); b++) {
        pairs.add(new Pairs.Pair(a, b, scene.same(a, b)));
      }
    }
    return pairs;
  }

  @Test
  void aListOfAllPairsIsMeasuredAsAllPairsAre() {
    var scene = Scene.ofSigns(70, 5, 16, 0.5);
    var pairs = allPairs(scene);
    Collections.shuffle(pairs, new Random(1));
    var bootstrap = new Bootstrap(50, 2);
    var listed = scene.on(2, set -> Verification.of(set, Pairs.of(pairs), bootstrap));
    var all = scene.on(2, set -> Verification.of(set, Pairs.all(), bootstrap));
    assertEquals(all.equalErrorRate(), listed.equalErrorRate());
    assertEquals(all.area(), listed.area());
    assertEquals(all.operatingPoints(), listed.operatingPoints());
    assertTrue(all.accuracy().isEmpty() && listed.accuracy().isPresent());
  }

  @Test
  void drawnPairsAreByTurnsOfOneClassAndOfTwo() {
    var scene = Scene.ofSigns(40, 6, 4, 0.5);
    var drawn = list(scene.on(1, set -> Pairs.drawn(set, 1000, 7)));
    assertEquals(1000, drawn.size());
    for (int p = 0; p < drawn.size(); p++) {
      var pair = drawn.get(p);
      assertEquals(p % 2 == 0, pair.same());
      assertEquals(pair.same(), scene.same(pair.first(), pair.second()));
      assertNotEquals(pair.first(), pair.second());
    }
    var seen = new TreeSet<Integer>();
    drawn.stream().filter(Pairs.Pair::same).forEach(pair -> seen.add(pair.second()));
    assertEquals(40, seen.size(), "every item is drawn as the second of a same pair");
    assertEquals(drawn, list(scene.on(2, set -> Pairs.drawn(set, 1000, 7))));
    assertNotEquals(drawn, list(scene.on(1, set -> Pairs.drawn(set, 1000, 8))));
  }

  @Test
  void aSetWithoutPairsCannotBeDrawnFrom() {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Scene.perfect(4, 1).on(1, set -> Pairs.drawn(set, 10, 1)));
    assertEquals(
        "to draw pairs takes a class with two examples and another class; add examples",
        e.getMessage());
  }

  /** The LFW protocol by its words. */
  @Test
  void accuracyIsThatOfTheBestThresholdOfNineFoldsOnTheTenth() {
    var scene = Scene.ofSigns(60, 4, 64, 0.5);
    var pairs = scene.on(1, set -> Pairs.drawn(set, 230, 3));
    var found =
        scene.on(2, set -> Verification.of(set, pairs, Bootstrap.none())).accuracy().orElseThrow();
    double[] accuracies = new double[10];
    for (int fold = 0; fold < 10; fold++) {
      var inFold = new ArrayList<Pairs.Pair>();
      var others = new ArrayList<Pairs.Pair>();
      for (int p = 0; p < pairs.size(); p++) {
        // 115 of either kind by turns: the kth of its kind is in fold k * 10 / 115.
        (p / 2 * 10 / 115 == fold ? inFold : others).add(pairs.pair(p));
      }
      accuracies[fold] = share(scene, inFold, bestThreshold(scene, others));
    }
    double mean = Arrays.stream(accuracies).average().orElseThrow();
    double variance = Arrays.stream(accuracies).map(a -> (a - mean) * (a - mean)).sum() / 10;
    assertEquals(mean, found.mean(), 1e-12);
    assertEquals(Math.sqrt(variance), found.deviation(), 1e-12);
  }

  private static double bestThreshold(Scene scene, List<Pairs.Pair> pairs) {
    var thresholds = new TreeSet<Double>(Collections.reverseOrder());
    thresholds.add(2.0);
    pairs.forEach(pair -> thresholds.add(scene.score(pair.first(), pair.second())));
    double best = 2;
    for (double threshold : thresholds) {
      best = share(scene, pairs, threshold) > share(scene, pairs, best) ? threshold : best;
    }
    return best;
  }

  private static double share(Scene scene, List<Pairs.Pair> pairs, double threshold) {
    return pairs.stream()
        .mapToDouble(p -> (scene.score(p.first(), p.second()) >= threshold) == p.same() ? 1 : 0)
        .average()
        .orElseThrow();
  }

  @Test
  void tooFewPairsHaveNoFolds() {
    var scene = Scene.perfect(8, 4);
    var pairs = scene.on(1, set -> Pairs.drawn(set, 19, 3));
    assertFalse(
        scene.on(1, set -> Verification.of(set, pairs, Bootstrap.none())).accuracy().isPresent());
  }
}
