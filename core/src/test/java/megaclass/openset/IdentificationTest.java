// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IdentificationTest {
  private static final int ALL = Integer.MAX_VALUE;

  private static double rank1(Identification.Size size) {
    return size.ranks().getFirst().rate().value();
  }

  @ParameterizedTest
  @CsvSource({"30, 3, 4, 1", "64, 10, 16, 2", "150, 12, 16, 3", "333, 60, 64, 2"})
  void ranksOfListedProbesAreThoseOfCountingAllBetterOnes(
      int size, int numClasses, int dim, int threads) {
    var scene = Scene.ofSigns(size, numClasses, dim, 0.5);
    int[] probes = IntStream.range(0, size / 3).toArray();
    int[] gallery = IntStream.range(size / 4, size).toArray();
    var fast =
        scene.on(threads, set -> Identification.of(set, probes, gallery, ALL, Bootstrap.none()));
    var ranks = new ArrayList<Integer>();
    for (int probe : probes) {
      for (int mate : gallery) {
        if (mate != probe && scene.same(mate, probe)) {
          int better =
              (int)
                  IntStream.of(gallery)
                      .filter(other -> !scene.same(other, probe))
                      .filter(other -> scene.score(probe, other) >= scene.score(probe, mate))
                      .count();
          ranks.add(1 + better);
        }
      }
    }
    assertEquals(ranks.size(), fast.trials());
    var last = fast.sizes().getLast();
    assertEquals(gallery.length, last.distractors());
    for (int rank = 1; rank <= 100; rank++) {
      int most = rank;
      double expected = (double) ranks.stream().filter(r -> r <= most).count() / ranks.size();
      assertEquals(expected, last.curve().get(rank - 1), 1e-9);
    }
    for (var at : last.ranks()) {
      assertEquals(last.curve().get(at.rank() - 1), at.rate().value(), 1e-9);
    }
  }

  @Test
  void distractorsGrowByTensUpToAllAndOnlyMakeItHarder() {
    var scene = Scene.ofSigns(1234, 200, 16, 0.7);
    var found = scene.on(2, set -> Identification.of(set, ALL, new Bootstrap(100, 1)));
    assertEquals(
        List.of(10, 100, 1000, 1234),
        found.sizes().stream().map(Identification.Size::distractors).toList());
    for (int s = 1; s < found.sizes().size(); s++) {
      assertTrue(rank1(found.sizes().get(s)) <= rank1(found.sizes().get(s - 1)));
    }
    for (var size : found.sizes()) {
      for (var rank : size.ranks()) {
        var rate = rank.rate();
        assertTrue(rate.low() <= rate.value() && rate.value() <= rate.high(), rate::toString);
      }
    }
  }

  /** A gallery in a drawn order whose first ones are the ten of the smallest size. */
  @Test
  void aSmallerNumberOfDistractorsIsTheStartOfAGreaterOne() {
    var scene = Scene.ofSigns(500, 50, 16, 0.6);
    var ten = scene.on(1, set -> Identification.of(set, 10, Bootstrap.none()));
    var all = scene.on(2, set -> Identification.of(set, ALL, Bootstrap.none()));
    assertEquals(ten.sizes(), all.sizes().subList(0, 1));
  }

  @Test
  void randomEmbeddingsFindTheirMateByChance() {
    var found =
        Scene.ofNoise(3000, 1000, 32).on(2, set -> Identification.of(set, 10, Bootstrap.none()));
    assertEquals(1.0 / 11, rank1(found.sizes().getFirst()), 0.02);
  }

  @Test
  void perfectEmbeddingsAlwaysFindTheirMateAndCollapsedOnesNever() {
    var perfect = Scene.perfect(30, 3).on(2, set -> Identification.of(set, ALL, Bootstrap.none()));
    assertEquals(1, rank1(perfect.sizes().getLast()));
    var collapsed =
        Scene.collapsed(30, 3).on(2, set -> Identification.of(set, ALL, Bootstrap.none()));
    assertEquals(0, rank1(collapsed.sizes().getFirst()));
  }

  @Test
  void probesWithoutMatesAreRefused() {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Scene.perfect(5, 1).on(1, set -> Identification.of(set, ALL, Bootstrap.none())));
    assertEquals(
        "identification takes a probe with another example of its class in the gallery, but there"
            + " is none",
        e.getMessage());
  }
}
