// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetrievalTest {
  private static Retrieval of(Scene scene, int threads) {
    return scene.on(threads, set -> Retrieval.of(set, new Bootstrap(40, 1)));
  }

  @ParameterizedTest
  @CsvSource({"9, 3, 4, 1", "64, 20, 16, 2", "130, 3, 16, 3", "300, 40, 64, 2", "300, 2, 4, 1"})
  void allMeasuresAreThoseOfSortingAllOthers(int size, int numClasses, int dim, int threads) {
    var scene = Scene.ofSigns(size, numClasses, dim, 0.5);
    int queries = 0;
    double[] recall = new double[3];
    double precision = 0;
    double average = 0;
    for (int q = 0; q < size; q++) {
      boolean[] relevant = ranked(scene, q);
      int r = (int) IntStream.range(0, relevant.length).filter(i -> relevant[i]).count();
      if (r == 0) {
        continue;
      }
      queries++;
      recall[0] += within(relevant, 1) > 0 ? 1 : 0;
      recall[1] += within(relevant, 5) > 0 ? 1 : 0;
      recall[2] += within(relevant, 10) > 0 ? 1 : 0;
      precision += (double) within(relevant, r) / r;
      for (int i = 0; i < r; i++) {
        average += relevant[i] ? (double) within(relevant, i + 1) / (i + 1) / r : 0;
      }
    }
    var found = of(scene, threads);
    assertEquals(queries, found.queries());
    for (int i = 0; i < recall.length; i++) {
      assertEquals(recall[i] / queries, found.recall().get(i).share().value(), 1e-12);
    }
    assertEquals(precision / queries, found.precisionAtR().value(), 1e-12);
    assertEquals(average / queries, found.meanAveragePrecisionAtR().value(), 1e-12);
  }

  /** Whether the others, best first, are of the class; among equals those that are not first. */
  private static boolean[] ranked(Scene scene, int query) {
    var others =
        IntStream.range(0, scene.size())
            .filter(i -> i != query)
            .boxed()
            .sorted(
                (a, b) -> {
                  int byScore = Double.compare(scene.score(query, b), scene.score(query, a));
                  return byScore != 0
                      ? byScore
                      : Boolean.compare(scene.same(query, a), scene.same(query, b));
                })
            .toList();
    boolean[] relevant = new boolean[others.size()];
    for (int i = 0; i < relevant.length; i++) {
      relevant[i] = scene.same(query, others.get(i));
    }
    return relevant;
  }

  private static int within(boolean[] relevant, int k) {
    return (int) IntStream.range(0, Math.min(k, relevant.length)).filter(i -> relevant[i]).count();
  }

  /** Section 3.2 of the paper: of R = 3, the first and the third are right. */
  @Test
  void precisionCountsOnlyWhatIsAmongTheRNearest() {
    float[][] rows = new float[6][2];
    double[] angles = {0, 0.1, 0.2, 0.3, 0.4, 1.5};
    for (int i = 0; i < rows.length; i++) {
      rows[i] = new float[] {(float) Math.cos(angles[i]), (float) Math.sin(angles[i])};
    }
    // The query at angle 0 meets: its class, another, its class, another, its class.
    var scene = new Scene(rows, new int[] {0, 0, 1, 0, 2, 0});
    double[] precisions = new double[4];
    scene.on(
        1,
        set -> {
          var ranks = new MateRanks(set, 10);
          int[] queries = ranks.queries();
          ranks.forEach(
              (query, found) -> {
                if (queries[query] == 0) {
                  assertEquals(1, found[0]);
                  assertEquals(3, found[1]);
                  assertEquals(5, found[2]);
                  precisions[0] = (1.0 + 2.0 / 3) / 3;
                }
              });
          return 0;
        });
    assertEquals(5.0 / 9, precisions[0], 1e-12);
  }

  @Test
  void theOrderOfTheSetAndTheThreadsDoNotMatter() {
    var scene = Scene.ofSigns(300, 40, 16, 0.5);
    var one = of(scene, 1);
    assertEquals(one, of(scene, 3));
    assertEquals(
        one.meanAveragePrecisionAtR().value(),
        of(scene.shuffled(3), 2).meanAveragePrecisionAtR().value(),
        1e-12);
  }

  @Test
  void perfectEmbeddingsFindAllAndCollapsedOnesNothing() {
    var perfect = of(Scene.perfect(12, 4), 2);
    assertEquals(new Estimate(1, 1, 1), perfect.meanAveragePrecisionAtR());
    assertEquals(1, perfect.recall().getFirst().share().value());
    var collapsed = of(Scene.collapsed(12, 4), 2);
    assertEquals(0, collapsed.meanAveragePrecisionAtR().value());
    assertEquals(0, collapsed.recall().getLast().share().value());
  }

  @Test
  void moreClassesMakeTheIntervalNarrower() {
    var few = of(Scene.ofSigns(200, 20, 64, 0.4), 2).precisionAtR();
    var many = of(Scene.ofSigns(2000, 200, 64, 0.4), 2).precisionAtR();
    assertTrue(many.high() - many.low() < (few.high() - few.low()) / 2);
    assertTrue(many.low() < many.value() && many.value() < many.high());
  }

  @Test
  void classesOfOneExampleAreRefused() {
    var e = assertThrows(IllegalArgumentException.class, () -> of(Scene.perfect(5, 1), 1));
    assertEquals(
        "retrieval takes a class with two examples, but every class has one", e.getMessage());
  }
}
