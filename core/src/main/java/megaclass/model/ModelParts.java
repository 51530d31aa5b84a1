// SPDX-License-Identifier: Apache-2.0
package megaclass.model;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import megaclass.backbone.BackboneSpec;
import megaclass.compute.RowMatrix;
import megaclass.data.ImageShape;
import megaclass.data.Labels;
import megaclass.loss.Loss;
import megaclass.weights.ClassWeights;
import org.jspecify.annotations.Nullable;

/**
 * What a classifier consists of, in memory or mapped.
 *
 * @param loss it was trained with: decides between cosines and inner products, and their scale
 * @param backbone from features to embeddings
 * @param weights (numClasses, dim)
 * @param table the backbone's rows, or null when it has none
 * @param network the backbone's network of layers, or null when it is none
 * @param labels class id to label and back
 * @param trainCounts training examples of each class, (numClasses)
 * @param provenance how it came about: settings, data, versions; by name
 */
@SuppressWarnings("ArrayRecordComponent") // as long as the classes are many; never compared
public record ModelParts(
    Loss loss,
    BackboneSpec backbone,
    ClassWeights weights,
    @Nullable RowMatrix table,
    @Nullable Network network,
    Labels labels,
    long[] trainCounts,
    Map<String, String> provenance) {

  /**
   * A network of layers.
   *
   * @param images what it takes
   * @param bytes as {@link megaclass.backbone.Backbone#network} gave them
   */
  public record Network(ImageShape images, MemorySegment bytes) {}
}
