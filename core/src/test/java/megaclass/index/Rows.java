// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;

/** Class weights in families, and embeddings near some of them. */
final class Rows {
  private Rows() {}

  /** Rows around a tenth as many centres. */
  static float[][] inFamilies(int numRows, int dim, long seed) {
    var random = new SplittableRandom(seed);
    float[][] centres = new float[Math.max(1, numRows / 10)][dim];
    for (float[] centre : centres) {
      fill(centre, random, 1);
    }
    float[][] rows = new float[numRows][dim];
    for (float[] row : rows) {
      fill(row, random, 0.5);
      float[] centre = centres[random.nextInt(centres.length)];
      for (int j = 0; j < dim; j++) {
        row[j] += centre[j];
      }
    }
    return rows;
  }

  private static void fill(float[] row, SplittableRandom random, double deviation) {
    for (int j = 0; j < row.length; j++) {
      row[j] = (float) (deviation * random.nextGaussian() / Math.sqrt(row.length));
    }
  }

  static RowMatrix matrix(float[][] rows) {
    var matrix = new RowMatrix(rows.length, rows[0].length, RowMatrix.State.NONE);
    for (int r = 0; r < rows.length; r++) {
      set(matrix, r, rows[r]);
    }
    return matrix;
  }

  static void set(RowMatrix matrix, int row, float[] values) {
    for (int j = 0; j < values.length; j++) {
      matrix.set(row, j, values[j]);
    }
  }

  static Embeddings pack(float[][] features, boolean normalised, Engine engine) {
    int dim = features[0].length;
    var shape = new Embeddings.Shape(dim, normalised, false);
    var embeddings = new Embeddings(features.length, shape, engine);
    String[] labels =
        IntStream.range(0, features.length).mapToObj(String::valueOf).toArray(String[]::new);
    try (var data = Dataset.of(features, labels);
        var backbone = new FrozenBackbone(dim)) {
      var batch = MiniBatch.range(data, 0, features.length);
      backbone.read(batch, false);
      embeddings.begin(features.length);
      backbone.forward(embeddings);
      embeddings.pack(batch);
    }
    return embeddings;
  }

  static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int j = 0; j < a.length; j++) {
      sum += (double) a[j] * b[j];
    }
    return sum;
  }
}
