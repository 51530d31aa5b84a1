// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.Map;

/**
 * How good a choice of active classes was, against the softmax over all classes: means over some
 * samples of a batch. Mass, recall and log Z are of logits before any margin.
 *
 * @param samples how many samples were looked at
 * @param numActive active classes of their batch
 * @param classesPerSample active classes that a sample of the batch accounts for: {@code numActive}
 *     over its size
 * @param coveredMass share of the full softmax's probability that the active classes hold, in [0,
 *     1]; for an evenly hard batch the best possible is near {@code cumulativeMass} at numActive
 * @param selectionRecall share of the ten classes with the largest logits, or of all if there are
 *     fewer, that is active
 * @param logZBias log of the estimate of Z by the active classes and their log weights, minus log Z
 * @param gradientCosine cosine between the gradients of the loss, its margin included, by a
 *     sample's embedding: under the active classes and their log weights, and under all classes; 1
 *     when both are zero, 0 when one of them is
 * @param gradientError length of the difference of these gradients over the length of that under
 *     all classes, with those of all samples taken as one: easy samples, whose gradient is hardly
 *     there, hardly count
 * @param cumulativeMass CP_K of HF-Softmax: probability of the K largest classes, by K ascending
 */
public record SelectionQuality(
    int samples,
    int numActive,
    double classesPerSample,
    double coveredMass,
    double selectionRecall,
    double logZBias,
    double gradientCosine,
    double gradientError,
    Map<Integer, Double> cumulativeMass) {}
