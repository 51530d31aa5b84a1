// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one training run told: a line of the result file.
 *
 * @param cell what was run
 * @param settings flags of {@code megaclass train}, those of the cell and names of files left out
 * @param date when it ended, in UTC
 * @param commit of the repository, with "+" behind it when files were changed since
 * @param machine processor and number of cores
 * @param compute backend and threads
 * @param numClasses of the training file
 * @param tested the evaluation at the end
 * @param numActive most active classes of a reported step
 * @param seconds of training, without filling the class weights and without evaluations
 * @param examplesPerSecond over all these seconds
 * @param curve learning curve over these seconds
 * @param chosen what the last validation said about the selection; null for the exact softmax
 * @param stageSeconds by stage of the step
 */
record SelectionRun(
    SelectionCell cell,
    List<String> settings,
    String date,
    String commit,
    String machine,
    String compute,
    int numClasses,
    Tested tested,
    int numActive,
    double seconds,
    double examplesPerSecond,
    List<Point> curve,
    @Nullable Chosen chosen,
    Map<String, Double> stageSeconds) {

  /**
   * The evaluation at the end, over all classes.
   *
   * @param examples held-out examples
   * @param top1 share of them, in [0, 1]
   * @param top5 share of them, in [0, 1]
   * @param meanLoss in nats
   */
  record Tested(long examples, double top1, double top5, double meanLoss) {}

  /** A validation in the run: seconds of training until then, and top-1 in [0, 1]. */
  record Point(double seconds, double top1) {}

  /**
   * How good the choice of classes was.
   *
   * @param coveredMass share of the full softmax's probability, in [0, 1]
   * @param selectionRecall share of each sample's ten best classes that was active
   * @param logZBias log of the estimated over the true sum
   * @param cumulativeMass by K the probability of the K largest classes: CP_K
   */
  record Chosen(
      double coveredMass,
      double selectionRecall,
      double logZBias,
      Map<String, Double> cumulativeMass) {}
}
