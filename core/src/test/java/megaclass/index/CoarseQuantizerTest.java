// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import megaclass.TestBackend;
import megaclass.compute.Engine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CoarseQuantizerTest {
  private static final int DIM = 20;

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 2", "65, 3", "300, 130", "300, 300"})
  void everyRowGoesToTheNearestCentroid(int numRows, int numLists) {
    float[][] rows = Rows.inFamilies(numRows, DIM, 1);
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var matrix = Rows.matrix(rows);
        var quantizer =
            quantizer(new IndexedRows(matrix, false, engine.backend()), numLists, engine)) {
      quantizer.train(2, 9);
      int[] listOf = new int[numRows];
      quantizer.assign(numRows, r -> r, listOf);
      for (int r = 0; r < numRows; r++) {
        double nearest = Double.POSITIVE_INFINITY;
        for (int list = 0; list < numLists; list++) {
          nearest = Math.min(nearest, distance(rows[r], centroid(quantizer, list)));
        }
        assertEquals(nearest, distance(rows[r], centroid(quantizer, listOf[r])), 1e-5);
      }
    }
  }

  private static CoarseQuantizer quantizer(IndexedRows rows, int numLists, Engine engine) {
    return new CoarseQuantizer(rows, numLists, engine);
  }

  private static float[] centroid(CoarseQuantizer quantizer, int list) {
    float[] centroid = new float[DIM];
    for (int j = 0; j < DIM; j++) {
      centroid[j] = quantizer.centroids().get(list, j);
    }
    return centroid;
  }

  private static double distance(float[] a, float[] b) {
    return Rows.dot(a, a) + Rows.dot(b, b) - 2 * Rows.dot(a, b);
  }

  @Test
  void centroidsComeNearerWithEachIterationAndDependOnNoThread() {
    float[][] rows = Rows.inFamilies(900, DIM, 2);
    double before = Double.POSITIVE_INFINITY;
    for (int iterations : new int[] {0, 1, 8}) {
      float[][] one = trained(rows, iterations, 1);
      assertArrayEquals(one, trained(rows, iterations, 3), "after " + iterations);
      double total =
          Arrays.stream(rows)
              .mapToDouble(
                  row -> Arrays.stream(one).mapToDouble(c -> distance(row, c)).min().orElseThrow())
              .sum();
      assertTrue(total < before, "after " + iterations + ": " + total + " of " + before);
      before = total;
    }
  }

  private static float[][] trained(float[][] rows, int iterations, int threads) {
    try (var engine = Engine.start(TestBackend.NAME, threads);
        var matrix = Rows.matrix(rows);
        var quantizer = quantizer(new IndexedRows(matrix, false, engine.backend()), 40, engine)) {
      quantizer.train(iterations, 9);
      return IntStream.range(0, 40)
          .mapToObj(list -> centroid(quantizer, list))
          .toArray(float[][]::new);
    }
  }

  @Test
  void identicalRowsAndRowsOfZeroAreFine() {
    float[][] rows = new float[50][DIM];
    for (int r = 0; r < 30; r++) {
      rows[r][0] = 1;
    }
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var matrix = Rows.matrix(rows);
        var quantizer = quantizer(new IndexedRows(matrix, true, engine.backend()), 10, engine)) {
      quantizer.train(5, 9);
      int[] listOf = new int[50];
      quantizer.assign(50, r -> r, listOf);
      assertEquals(1, Arrays.stream(listOf, 0, 30).distinct().count());
      assertEquals(1, Arrays.stream(listOf, 30, 50).distinct().count());
    }
  }

  @Test
  void aRowThatIsNotFiniteIsNamed() {
    float[][] rows = Rows.inFamilies(70, DIM, 3);
    rows[66][5] = Float.NaN;
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var matrix = Rows.matrix(rows);
        var quantizer = quantizer(new IndexedRows(matrix, true, engine.backend()), 4, engine)) {
      var e =
          assertThrows(ArithmeticException.class, () -> quantizer.assign(70, r -> r, new int[70]));
      assertEquals(
          "the weight of class 66 is not finite, which no index can hold; lower the learning rate"
              + " and resume from the last checkpoint",
          e.getMessage());
    }
  }
}
