// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.List;
import java.util.OptionalDouble;

/**
 * How good a classifier is on a data set, over all of its classes, or those that an index found.
 *
 * @param examples evaluated examples
 * @param top1 share of examples one of whose classes is the best scored one, in [0, 1]
 * @param topK share of examples one of whose classes is among the {@code k} best, in [0, 1]
 * @param k at least 1
 * @param meanLoss mean of the plain softmax loss (no margin) over examples, in nats; with several
 *     targets, the mean over them; nothing when an index looked for the best classes, since the
 *     softmax takes all of them
 * @param frequencyDeciles ten parts, from the tenth of the classes with the fewest training
 *     examples to the tenth with the most
 * @param seconds wall-clock time, without that of building an index
 */
public record Evaluation(
    long examples,
    double top1,
    double topK,
    int k,
    OptionalDouble meanLoss,
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
    String loss = meanLoss.isPresent() ? "   loss %.4f".formatted(meanLoss.getAsDouble()) : "";
    return "top-1 %.2f %%   top-%d %.2f %%%s   %,d examples in %.1f s"
        .formatted(100 * top1, k, 100 * topK, loss, examples, seconds);
  }
}
