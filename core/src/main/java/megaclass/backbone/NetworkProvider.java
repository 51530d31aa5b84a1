// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import java.util.Map;
import megaclass.data.ImageShape;
import org.jspecify.annotations.Nullable;

/**
 * A library that trains networks of layers. Implementations are found by {@link
 * java.util.ServiceLoader}; making one must cost nothing and load no library.
 *
 * <p>Stateless and thread-safe.
 */
public interface NetworkProvider {

  /**
   * What a network is made for.
   *
   * @param spec which one
   * @param dim floats of an embedding
   * @param images shape of what goes in
   * @param batchSize samples at most
   * @param training how it is trained; null when it is not
   * @param seed of its initial parameters and of what is random in a step
   * @param threads that work, at least 1
   */
  record Problem(
      BackboneSpec.Network spec,
      int dim,
      ImageShape images,
      int batchSize,
      @Nullable NetworkTraining training,
      long seed,
      int threads) {}

  /**
   * Forecasts the memory of a network, by term, in the order in which they are told.
   *
   * @throws IllegalArgumentException when there is no such network for such images
   */
  Map<String, Long> bytes(Problem problem);

  /**
   * Makes a network with its initial parameters.
   *
   * @throws IllegalArgumentException when it cannot be made, or does not fit the images or the dim;
   *     a whole sentence
   */
  Backbone open(Problem problem);
}
