// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.OptionalDouble;

/**
 * One class that was predicted for an example.
 *
 * @param classId its id
 * @param label its label
 * @param score cosine of embedding and class weight; with the softmax loss their inner product
 * @param probability share of the softmax over all classes, in [0, 1]; nothing when an index looked
 *     for the class, since that takes the logits of all
 */
public record Prediction(int classId, String label, double score, OptionalDouble probability) {}
