// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Function;
import megaclass.compute.RowMatrix;
import megaclass.compute.RowUpdate;
import megaclass.data.MiniBatch;
import org.jspecify.annotations.Nullable;

/**
 * From the features of a mini-batch to its embeddings, and back with their gradient. Also called
 * encoder or trunk.
 *
 * <p>What it learns are rows, of which a batch touches a few ({@link #parameters}) and which the
 * caller moves; or all the parameters of a network of layers, which it moves itself and hands out
 * as bytes ({@link #network}).
 *
 * <p>A batch goes through {@link #read}, {@link #forward} and, in training, {@link #backward}, in
 * this order. Not thread-safe, but works with all threads itself.
 */
public interface Backbone extends AutoCloseable {
  /** Name of {@link #network} in {@link #state}. */
  String NETWORK = "network";

  /** Floats of an embedding. */
  int dim();

  /** Rows that are trained, or null when there are none. */
  @Nullable RowMatrix parameters();

  /**
   * What a model file keeps of a network of layers, from which {@link #restore} makes the same one:
   * its parameters and statistics.
   *
   * @return a copy; null for a backbone that is none
   */
  default @Nullable MemorySegment network() {
    return null;
  }

  /**
   * What a checkpoint has to keep besides rows, by name: {@link #network} and the state of its
   * optimizer.
   */
  default Map<String, MemorySegment> state() {
    return Map.of();
  }

  /**
   * Goes on from what {@link #state} gave; what is not trained needs only its {@link #NETWORK}.
   *
   * @throws IllegalArgumentException when it is of another network; a part of a sentence
   */
  default void restore(Function<String, MemorySegment> sections) {}

  /**
   * Begins a step of training, for a network that moves its own parameters.
   *
   * @param learningRate of the backbone in this step
   */
  default void beginStep(double learningRate) {}

  /**
   * Hears of a batch that will be trained later, to make its input ready meanwhile. Changes nothing
   * but the time.
   */
  default void announce(MiniBatch later) {}

  /**
   * Takes in the features of a batch and finds the parameter rows that they touch.
   *
   * @param training whether dropout is on; its randomness is a function of the batch's step. A
   *     network trains between {@link #beginStep} and {@link #backward} only; read outside a step,
   *     it is as in evaluation, and nothing that it has learned changes
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
   * Gives the gradient of every touched parameter row to {@code update}; a network moves its own
   * parameters here.
   *
   * @param embeddings with finished gradient rows, (batch, dim)
   */
  void backward(Embeddings embeddings, RowUpdate update);

  @Override
  void close();
}
