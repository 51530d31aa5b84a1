// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.compute.RowMatrix;

/** Points to build forests over, and their two forms: rows off the heap and arrays of doubles. */
final class Clouds {
  private Clouds() {}

  /** Whole numbers from -4 to 4: products with codes, and their sums, are exact. */
  static float[][] grid(SplittableRandom random, int numRows, int dim) {
    return fill(numRows, dim, () -> random.nextInt(-4, 5));
  }

  /** Random directions; lengths about 1. */
  static float[][] normal(SplittableRandom random, int numRows, int dim) {
    return fill(numRows, dim, () -> (float) (random.nextGaussian() / Math.sqrt(dim)));
  }

  /**
   * Rows whose length is a power of two, so that their directions are exact too: one or four values
   * of equal size, the rest 0.
   */
  static float[][] exactDirections(SplittableRandom random, int numRows, int dim) {
    var rows = new float[numRows][dim];
    for (float[] row : rows) {
      float size = 1 << random.nextInt(4);
      int numValues = dim >= 4 && random.nextInt(4) > 0 ? 4 : 1;
      int[] columns = random.ints(0, dim).distinct().limit(numValues).toArray();
      Arrays.stream(columns).forEach(j -> row[j] = random.nextBoolean() ? size : -size);
    }
    return rows;
  }

  private interface Source {
    float next();
  }

  private static float[][] fill(int numRows, int dim, Source source) {
    var rows = new float[numRows][dim];
    for (float[] row : rows) {
      for (int j = 0; j < dim; j++) {
        row[j] = source.next();
      }
    }
    return rows;
  }

  /** The rows as a matrix, with a velocity behind each that nobody may read. */
  static RowMatrix matrix(float[][] rows) {
    var matrix =
        new RowMatrix(rows.length, rows[0].length, new RowMatrix.State(true, false, false));
    for (int c = 0; c < rows.length; c++) {
      for (int j = 0; j < rows[c].length; j++) {
        matrix.set(c, j, rows[c][j]);
      }
      for (int j = matrix.stride(); j < 2 * matrix.stride(); j++) {
        matrix.set(c, j, Float.NaN);
      }
    }
    return matrix;
  }

  static long[] addresses(RowMatrix matrix) {
    return IntStream.range(0, matrix.numRows()).mapToLong(matrix::address).toArray();
  }

  /** The rows in double precision; divided by their lengths, if directions count. */
  static double[][] points(float[][] rows, boolean normalised) {
    return Arrays.stream(rows).map(row -> point(row, normalised)).toArray(double[][]::new);
  }

  private static double[] point(float[] row, boolean normalised) {
    double[] point = IntStream.range(0, row.length).mapToDouble(j -> row[j]).toArray();
    double length = Math.sqrt(ForestDefinition.dot(point, point));
    return normalised && length > 0 ? Arrays.stream(point).map(v -> v / length).toArray() : point;
  }
}
