// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.TestBackend;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.loss.Loss;
import megaclass.select.ActiveClasses;
import megaclass.weights.ClassWeights;
import org.junit.jupiter.api.Test;

class SelectionProbeTest {
  /** One sample sees all classes, the other its target alone. */
  @Test
  void aSampleIsHeldAgainstTheClassesOfItsOwnGroup() {
    int numClasses = 50;
    int dim = 8;
    int[] targets = {7, 9};
    var loss = Loss.parse("normsoftmax(scale=4)");
    float[][] features = SmallModel.matrix(new SplittableRandom(1), 2, dim, false);
    var shape = new Embeddings.Shape(dim, true, false);
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var data = Dataset.of(features, new String[] {"a", "b"});
        var weights = ClassWeights.allocate(numClasses, dim, false, RowMatrix.State.NONE);
        var embeddings = new Embeddings(2, shape, engine);
        var backbone = new FrozenBackbone(dim);
        var probe = new SelectionProbe(weights, loss, engine)) {
      weights.matrix().randomise(0.5, dim, 6, engine.workers());
      var batch = MiniBatch.range(data, 0, 2);
      backbone.read(batch, false);
      embeddings.begin(2);
      backbone.forward(embeddings);
      embeddings.pack(batch);

      var all = group(0, IntStream.range(0, numClasses).toArray(), targets);
      var one = group(1, new int[] {9}, targets);
      var quality =
          probe.measure(batch, embeddings, ActiveClasses.ofGroups(List.of(all, one), targets));
      var ofOne = ActiveClasses.of(new int[] {7, 9}, null, targets);
      var ungrouped = probe.measure(batch, embeddings, ofOne);

      assertTrue(quality.coveredMass() > 0.5 && quality.coveredMass() < 0.75, quality.toString());
      assertTrue(ungrouped.coveredMass() < 0.5, ungrouped.toString());
      assertTrue(
          quality.selectionRecall() >= 0.5 && quality.selectionRecall() <= 0.55,
          quality.toString());
      assertTrue(quality.logZBias() < 0, quality.toString());
      assertEquals(numClasses, quality.numActive());
    }
  }

  private static ActiveClasses.Group group(int sample, int[] classIds, int[] targets) {
    var active = ActiveClasses.of(classIds, null, new int[] {targets[sample]});
    return new ActiveClasses.Group(new int[] {sample}, active);
  }
}
