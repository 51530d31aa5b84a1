// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import megaclass.compute.RowMatrix;
import megaclass.compute.RowUpdate;
import megaclass.data.MiniBatch;
import org.jspecify.annotations.Nullable;

/**
 * From the features of a mini-batch to its embeddings, and back with their gradient. Also called
 * encoder or trunk.
 *
 * <p>A batch goes through {@link #read}, {@link #forward} and, in training, {@link #backward}, in
 * this order. Not thread-safe, but works with all threads itself.
 */
public interface Backbone extends AutoCloseable {
  /** Floats of an embedding. */
  int dim();

  /** Rows that are trained, or null when there are none. */
  @Nullable RowMatrix parameters();

  /**
   * Takes in the features of a batch and finds the parameter rows that they touch.
   *
   * @param training whether dropout is on; its randomness is a function of the batch's step
   */
  void read(MiniBatch batch, boolean training);

  /** Number of distinct parameter rows that the batch touches. */
  default int numTouched() {
    return 0;
  }

  /**
   * A parameter row that the batch touches.
   *
   * @param i in [0, numTouched)
   */
  default int touched(int i) {
    throw new IndexOutOfBoundsException("a backbone without parameters touches no row");
  }

  /** Writes the batch's embeddings: {@code into.row(i)} gets (dim) floats for sample i. */
  void forward(Embeddings into);

  /**
   * Gives the gradient of every touched parameter row to {@code update}.
   *
   * @param embeddings with finished gradient rows, (batch, dim)
   */
  void backward(Embeddings embeddings, RowUpdate update);

  @Override
  void close();
}
