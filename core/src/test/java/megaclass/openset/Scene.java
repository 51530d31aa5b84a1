// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.TestBackend;
import megaclass.compute.Engine;

/**
 * Embeddings with their classes, and their scores by plain loops in double.
 *
 * @param rows (size, dim)
 * @param classIds (size)
 */
@SuppressWarnings("ArrayRecordComponent") // not compared
record Scene(float[][] rows, int[] classIds) {
  /** What is done with a set. */
  interface Body<T> {
    T with(EmbeddingSet set);
  }

  /**
   * Rows of +-1 whose lengths and products are exact, so that scores often tie exactly.
   *
   * @param dim a power of 4
   * @param pull how many of the values agree with those of the class, in [0, 1]
   */
  static Scene ofSigns(int size, int numClasses, int dim, double pull) {
    var random = new SplittableRandom(31L * size + dim);
    float[][] centres = new float[numClasses][dim];
    for (float[] centre : centres) {
      fill(centre, random);
    }
    float[][] rows = new float[size][dim];
    int[] classIds = new int[size];
    for (int i = 0; i < size; i++) {
      classIds[i] = random.nextInt(numClasses);
      fill(rows[i], random);
      for (int j = 0; j < dim; j++) {
        rows[i][j] = random.nextDouble() < pull ? centres[classIds[i]][j] : rows[i][j];
      }
    }
    return new Scene(rows, classIds);
  }

  private static void fill(float[] row, SplittableRandom random) {
    for (int j = 0; j < row.length; j++) {
      row[j] = random.nextBoolean() ? 1 : -1;
    }
  }

  /** Rows without any relation to their classes. */
  static Scene ofNoise(int size, int numClasses, int dim) {
    var random = new SplittableRandom(size);
    float[][] rows = new float[size][dim];
    int[] classIds = new int[size];
    for (int i = 0; i < size; i++) {
      classIds[i] = i % numClasses;
      for (int j = 0; j < dim; j++) {
        rows[i][j] = (float) random.nextGaussian();
      }
    }
    return new Scene(rows, classIds);
  }

  /** Classes on axes of their own: all of a class are equal, others orthogonal. */
  static Scene perfect(int numClasses, int perClass) {
    float[][] rows = new float[numClasses * perClass][numClasses];
    int[] classIds = new int[rows.length];
    for (int i = 0; i < rows.length; i++) {
      classIds[i] = i % numClasses;
      rows[i][i % numClasses] = 2;
    }
    return new Scene(rows, classIds);
  }

  /** All embeddings are the same. */
  static Scene collapsed(int numClasses, int perClass) {
    float[][] rows = new float[numClasses * perClass][4];
    for (float[] row : rows) {
      Arrays.fill(row, 1);
    }
    return new Scene(rows, IntStream.range(0, rows.length).map(i -> i % numClasses).toArray());
  }

  /** The same embeddings in another order. */
  Scene shuffled(long seed) {
    var random = new SplittableRandom(seed);
    int[] order = IntStream.range(0, size()).toArray();
    for (int i = size() - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      int item = order[i];
      order[i] = order[other];
      order[other] = item;
    }
    float[][] shuffledRows = Arrays.stream(order).mapToObj(i -> rows[i]).toArray(float[][]::new);
    return new Scene(shuffledRows, Arrays.stream(order).map(i -> classIds[i]).toArray());
  }

  int size() {
    return rows.length;
  }

  boolean same(int a, int b) {
    return classIds[a] == classIds[b];
  }

  double score(int a, int b) {
    return product(rows[a], rows[b])
        / Math.sqrt(product(rows[a], rows[a]) * product(rows[b], rows[b]));
  }

  private static double product(float[] a, float[] b) {
    double sum = 0;
    for (int j = 0; j < a.length; j++) {
      sum += (double) a[j] * b[j];
    }
    return sum;
  }

  /** Does something with the set, on so many threads. */
  <T> T on(int threads, Body<T> body) {
    try (var engine = Engine.start(TestBackend.NAME, threads);
        var set = EmbeddingSet.of(rows, classIds, engine)) {
      return body.with(set);
    }
  }
}
