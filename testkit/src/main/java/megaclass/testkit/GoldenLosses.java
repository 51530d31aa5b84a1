// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.stream.Collectors;
import megaclass.loss.Loss;
import megaclass.loss.LossDefinition.Active;
import megaclass.loss.LossDefinition.Batch;
import megaclass.loss.LossDefinition.Head;
import megaclass.loss.LossDefinition.Result;

/**
 * Losses, logits and gradients that another implementation (PyTorch autograd, float64) found: ten
 * losses, each over all classes, over a selection, and over a selection with a tail.
 */
public final class GoldenLosses {
  private GoldenLosses() {}

  /**
   * One loss over one selection: what goes in, and what must come out.
   *
   * @param selection {@code all}, {@code active} or {@code active+tail}
   */
  public record Case(
      Loss loss, String selection, Batch batch, Head head, Active active, Result expected) {
    @Override
    public String toString() {
      return loss + " over " + selection;
    }
  }

  /** Reads all cases. */
  public static List<Case> read() {
    JsonNode file = GoldenFile.read("losses.json");
    var batch =
        new Batch(GoldenFile.rows(file.get("features")), GoldenFile.integers(file.get("labels")));
    double[][] weights = GoldenFile.rows(file.get("weights"));
    double[] bias = GoldenFile.numbers(file.get("bias"));
    return file.get("cases")
        .valueStream()
        .map(node -> readCase(node, batch, weights, bias))
        .toList();
  }

  private static Case readCase(JsonNode node, Batch batch, double[][] weights, double[] bias) {
    Loss loss = readLoss(node);
    return new Case(
        loss,
        node.get("selection").textValue(),
        batch,
        new Head(weights, loss.bias() ? bias : new double[0]),
        new Active(
            GoldenFile.integers(node.get("active")), GoldenFile.numbers(node.get("logWeight"))),
        new Result(
            GoldenFile.numbers(node.get("perSampleLoss")),
            node.get("meanLoss").doubleValue(),
            GoldenFile.rows(node.get("logits")),
            GoldenFile.rows(node.get("gradFeatures")),
            GoldenFile.rows(node.get("gradWeights")),
            GoldenFile.numbers(node.get("gradBias"))));
  }

  /** The names of losses and parameters in the file are those of our texts. */
  private static Loss readLoss(JsonNode node) {
    String parameters =
        node.get("parameters")
            .propertyStream()
            .map(entry -> entry.getKey() + "=" + entry.getValue().asText())
            .collect(Collectors.joining(", "));
    return Loss.parse("%s(%s)".formatted(node.get("loss").textValue(), parameters));
  }
}
