// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.Map;

/**
 * How good a choice of active classes was, against the softmax over all classes: means over some
 * samples of a batch, with logits before any margin.
 *
 * @param samples how many samples were looked at
 * @param numActive active classes of their batch
 * @param coveredMass share of the full softmax's probability that the active classes hold, in [0,
 *     1]; for an evenly hard batch the best possible is near {@code cumulativeMass} at numActive
 * @param selectionRecall share of the ten classes with the largest logits, or of all if there are
 *     fewer, that is active
 * @param logZBias log of the estimate of Z by the active classes and their log weights, minus log Z
 * @param cumulativeMass CP_K of HF-Softmax: probability of the K largest classes, by K ascending
 */
public record SelectionQuality(
    int samples,
    int numActive,
    double coveredMass,
    double selectionRecall,
    double logZBias,
    Map<Integer, Double> cumulativeMass) {}
