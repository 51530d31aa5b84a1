// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.List;

/**
 * How good a classifier is on a data set, over all of its classes.
 *
 * @param examples evaluated examples
 * @param top1 share of examples one of whose classes is the best scored one, in [0, 1]
 * @param topK share of examples one of whose classes is among the {@code k} best, in [0, 1]
 * @param k at least 1
 * @param meanLoss mean of the plain softmax loss (no margin) over examples, in nats; with several
 *     targets, the mean over them
 * @param frequencyDeciles ten parts, from the tenth of the classes with the fewest training
 *     examples to the tenth with the most
 * @param seconds wall-clock time
 */
public record Evaluation(
    long examples,
    double top1,
    double topK,
    int k,
    double meanLoss,
    List<FrequencyDecile> frequencyDeciles,
    double seconds) {

  /**
   * Accuracy on the examples whose class is in one tenth of the classes, by training frequency.
   *
   * @param minCount training examples of its rarest class
   * @param maxCount training examples of its most frequent class
   * @param examples evaluated examples, decided by their first class
   * @param top1 share of them that is right, in [0, 1]; NaN when there are none
   */
  public record FrequencyDecile(long minCount, long maxCount, long examples, double top1) {}

  /**
   * Half the width of the 95 % confidence interval of {@code top1}, from the number of examples.
   */
  public double top1Uncertainty() {
    return 1.96 * Math.sqrt(top1 * (1 - top1) / examples);
  }

  @Override
  public String toString() {
    return "top-1 %.2f %%   top-%d %.2f %%   loss %.4f   %,d examples in %.1f s"
        .formatted(100 * top1, k, 100 * topK, meanLoss, examples, seconds);
  }
}
