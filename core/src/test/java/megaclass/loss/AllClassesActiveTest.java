// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.TestBackend;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.select.ClassSelector;
import megaclass.select.SelectionProblem;
import megaclass.select.SelectorSpec;
import megaclass.weights.ClassWeights;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every selector, when it selects all classes, gives the loss and gradients of the full softmax.
 */
class AllClassesActiveTest {
  private static final int NUM_CLASSES = 150;
  private static final int DIM = 9;
  private static final int BATCH = 70;

  static Stream<Arguments> lossesAndSelectors() {
    return Stream.of(
            "softmax",
            "softmax(bias=true)",
            "normsoftmax(scale=16)",
            "cosface(scale=64, margin=0.4)",
            "arcface(scale=64, margin=0.5)",
            "arcface(scale=30, margin=0.3, backward=straight-through)",
            "dsoftmax(scale=64, d=0.9)")
        .flatMap(
            loss ->
                Stream.of(
                        "uniform(1)",
                        "uniform(1, corrected=true)",
                        "exactTop(150)",
                        "exactTop(75) + tail(1)",
                        "uniform(0.5) + tail(1)")
                    .map(selector -> Arguments.of(loss, selector)));
  }

  @ParameterizedTest
  @MethodSource("lossesAndSelectors")
  void theWholeIsTheFullSoftmaxBitForBit(String loss, String selector) {
    List<float[]> expected = lossAndGradients(Loss.parse(loss), "all");
    List<float[]> actual = lossAndGradients(Loss.parse(loss), selector);
    for (int part = 0; part < expected.size(); part++) {
      assertArrayEquals(expected.get(part), actual.get(part), "part " + part);
    }
  }

  /** Mean loss; loss of each sample; gradient row of each sample; of each class. */
  private static List<float[]> lossAndGradients(Loss loss, String selectorText) {
    var random = new SplittableRandom(3);
    float[][] features = new float[BATCH][DIM];
    for (float[] row : features) {
      fill(row, random);
    }
    int[] targets = random.ints(BATCH, 0, NUM_CLASSES).toArray();
    var shape = new Embeddings.Shape(DIM, loss.normalised(), loss.bias());
    String[] labels = IntStream.range(0, BATCH).mapToObj(String::valueOf).toArray(String[]::new);
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var data = Dataset.of(features, labels);
        var weights = ClassWeights.allocate(NUM_CLASSES, DIM, loss.bias(), RowMatrix.State.NONE);
        var embeddings = new Embeddings(BATCH, shape, engine);
        var head = new SoftmaxHead(loss, weights, BATCH, engine);
        var backbone = new FrozenBackbone(DIM);
        var selector =
            ClassSelector.of(
                SelectorSpec.parse(selectorText),
                new SelectionProblem(
                    weights,
                    loss.normalised(),
                    loss.normalised() ? loss.scale() : 1,
                    BATCH,
                    5,
                    engine))) {
      weights.matrix().randomise(0.5, weights.matrix().width(), 6, engine.workers());
      var batch = MiniBatch.range(data, 0, BATCH);
      backbone.read(batch, true);
      embeddings.begin(BATCH);
      backbone.forward(embeddings);
      embeddings.pack(batch);
      var active = selector.select(embeddings, targets, 4);
      assertEquals(NUM_CLASSES, active.numActive());
      float mean = (float) head.forward(embeddings, active);
      var parts = new float[1 + BATCH + NUM_CLASSES][];
      int stride = weights.matrix().stride();
      head.backward(
          embeddings,
          active,
          (row, gradient, _) -> parts[1 + BATCH + row] = read(gradient, stride));
      float[] losses = new float[BATCH + 1];
      losses[BATCH] = mean;
      for (int i = 0; i < BATCH; i++) {
        losses[i] = (float) head.exampleLoss(i);
        parts[1 + i] = read(embeddings.gradientRow(i), DIM);
      }
      parts[0] = losses;
      return Arrays.asList(parts);
    }
  }

  private static void fill(float[] row, SplittableRandom random) {
    for (int j = 0; j < row.length; j++) {
      row[j] = (float) random.nextGaussian();
    }
  }

  private static float[] read(long address, int length) {
    return MemorySegment.ofAddress(address).reinterpret(4L * length).toArray(JAVA_FLOAT_UNALIGNED);
  }
}
