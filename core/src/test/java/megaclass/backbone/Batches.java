// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.compute.Engine;
import megaclass.data.Dataset;

/** Small parts that tests of embeddings are made of. */
final class Batches {
  private Batches() {}

  /** A set of texts with one class an example. */
  static Dataset texts(String... texts) {
    return Dataset.of(texts, labels(texts.length));
  }

  /** A set of dense rows with one class an example. */
  static Dataset rows(float[][] rows) {
    return Dataset.of(rows, labels(rows.length));
  }

  private static String[] labels(int size) {
    return IntStream.range(0, size).mapToObj(i -> "class " + i).toArray(String[]::new);
  }

  /** (rows, columns) of normal random numbers. */
  static float[][] normal(SplittableRandom random, int rows, int columns) {
    var matrix = new float[rows][columns];
    for (float[] row : matrix) {
      for (int j = 0; j < columns; j++) {
        row[j] = (float) random.nextGaussian();
      }
    }
    return matrix;
  }

  static Embeddings plain(int capacity, int dim, Engine engine) {
    return new Embeddings(capacity, new Embeddings.Shape(dim, false, false), engine);
  }

  /** Writes the gradient of each sample where the head would have left it. */
  static void setGradients(Embeddings embeddings, float[][] gradients) {
    for (int i = 0; i < gradients.length; i++) {
      write(embeddings.gradientRow(i), gradients[i]);
    }
  }

  static void write(long address, float[] values) {
    MemorySegment.copy(
        values,
        0,
        MemorySegment.ofAddress(address).reinterpret(4L * values.length),
        JAVA_FLOAT_UNALIGNED,
        0,
        values.length);
  }

  static float[] read(long address, int length) {
    return MemorySegment.ofAddress(address).reinterpret(4L * length).toArray(JAVA_FLOAT_UNALIGNED);
  }
}
