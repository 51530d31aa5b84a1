// SPDX-License-Identifier: Apache-2.0
package megaclass.weights;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;

/**
 * The last layer W: one row, a <em>class weight</em>, for every class; also called class centres,
 * prototypes, proxies or classifier vectors.
 *
 * <p>A bias, where the loss has one, is the weight of a constant 1 behind the embedding: column
 * {@code dim} of the row. It is updated, saved and caught up like any other weight. Owns its memory
 * until {@link #close}; threads may work on different classes at the same time.
 */
public final class ClassWeights implements AutoCloseable {
  private final RowMatrix matrix;
  private final int dim;

  private ClassWeights(RowMatrix matrix, int dim) {
    this.matrix = matrix;
    this.dim = dim;
  }

  /** Allocates weights of zero in float32. */
  public static ClassWeights allocate(
      int numClasses, int dim, boolean bias, RowMatrix.State state) {
    return allocate(numClasses, dim, bias, state, RowFormat.FP32);
  }

  /**
   * Allocates weights of zero.
   *
   * @param bias whether each class has a bias
   * @param state what the optimizer keeps of each row
   * @param format how rows lie in memory
   */
  public static ClassWeights allocate(
      int numClasses, int dim, boolean bias, RowMatrix.State state, RowFormat format) {
    return new ClassWeights(new RowMatrix(numClasses, dim + (bias ? 1 : 0), state, format), dim);
  }

  /**
   * Weights in a file, those in use in memory.
   *
   * @param path of the file
   * @param cacheBytes memory for rows
   */
  public static ClassWeights onDisk(
      Path path,
      int numClasses,
      int dim,
      boolean bias,
      RowMatrix.State state,
      RowFormat format,
      long cacheBytes) {
    int width = dim + (bias ? 1 : 0);
    return new ClassWeights(
        RowMatrix.onDisk(path, numClasses, width, state, format, cacheBytes), dim);
  }

  /**
   * Reads weights where they lie, as in a mapped model file.
   *
   * @param rows (numClasses, dim and bias padded to 16) in {@code format}; stays alive as long as
   *     this
   */
  public static ClassWeights over(
      MemorySegment rows, int numClasses, int dim, boolean bias, RowFormat format) {
    return new ClassWeights(RowMatrix.over(rows, numClasses, dim + (bias ? 1 : 0), format), dim);
  }

  /** Number of classes. */
  public int numClasses() {
    return matrix.numRows();
  }

  /** Floats of an embedding; the bias is not counted. */
  public int dim() {
    return dim;
  }

  /** Whether each class has a bias. */
  public boolean bias() {
    return matrix.width() > dim;
  }

  /** The rows: row c is the weight of class c, its bias, if any, in column {@code dim}. */
  public RowMatrix matrix() {
    return matrix;
  }

  /** Normal random directions with values of deviation 1 / sqrt(dim), about unit length; bias 0. */
  public void randomise(long seed, Workers workers) {
    matrix.randomise(1 / Math.sqrt(dim), dim, seed, workers);
  }

  @Override
  public void close() {
    matrix.close();
  }
}
