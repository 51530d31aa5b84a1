// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import megaclass.loss.LossDefinition.Active;
import megaclass.loss.LossDefinition.Batch;
import megaclass.optim.OptimizerSpec.LazyDecay;
import megaclass.optim.OptimizerSpec.Sgd;

/**
 * Trainings of class weights, softmax over some active classes in each step, that another
 * implementation (PyTorch's dense SGD, float64) went through.
 */
public final class GoldenSgd {
  private GoldenSgd() {}

  /**
   * One training.
   *
   * @param initialWeights (numClasses, dim)
   * @param finalWeights (numClasses, dim)
   */
  @SuppressWarnings("ArrayRecordComponent") // golden values, which nobody compares as records
  public record Run(
      String name,
      Sgd optimizer,
      double learningRate,
      double[][] initialWeights,
      List<Step> steps,
      double[][] finalWeights) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** One step: its mini-batch, its active classes, and the mean loss before the update. */
  public record Step(Batch batch, Active active, double loss) {}

  /** Reads all trainings. */
  public static List<Run> read() {
    return GoldenFile.read("sgd.json").valueStream().map(GoldenSgd::readRun).toList();
  }

  private static Run readRun(JsonNode node) {
    var optimizer =
        new Sgd(
            node.get("momentum").doubleValue(),
            node.get("nesterov").booleanValue(),
            node.get("weightDecay").doubleValue(),
            LazyDecay.EXACT);
    return new Run(
        node.get("name").textValue(),
        optimizer,
        node.get("learningRate").doubleValue(),
        GoldenFile.rows(node.get("initialWeights")),
        node.get("steps").valueStream().map(GoldenSgd::readStep).toList(),
        GoldenFile.rows(node.get("finalWeights")));
  }

  private static Step readStep(JsonNode node) {
    int[] active = GoldenFile.integers(node.get("active"));
    return new Step(
        new Batch(GoldenFile.rows(node.get("features")), GoldenFile.integers(node.get("labels"))),
        new Active(active, new double[active.length]),
        node.get("loss").doubleValue());
  }
}
