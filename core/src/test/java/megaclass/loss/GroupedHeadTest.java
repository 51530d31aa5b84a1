// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
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
import megaclass.select.ActiveClasses;
import megaclass.weights.ClassWeights;
import org.junit.jupiter.api.Test;

/** What groups must not change. SoftmaxHeadTest holds their sums against the definition. */
class GroupedHeadTest {
  private static final Loss LOSS = Loss.parse("arcface(scale=16, margin=0.2)");

  @Test
  void oneGroupOfAllSamplesIsTheBatchBitForBit() {
    try (var run = new Run(1300, 20, 150)) {
      var all = ActiveClasses.all(1300, run.targets);
      float[][] expected = run.lossAndGradients(all);
      assertArrayEquals(expected, run.lossAndGradients(run.groups(1)));
      run.lossAndGradients(run.groups(5)); // leaves nothing behind
      assertArrayEquals(expected, run.lossAndGradients(all));
      assertArrayEquals(expected, run.lossAndGradients(run.groups(1)));
    }
  }

  /** Exponentials of a group fill half of the memory for them: the third group has none. */
  @Test
  void groupsWhoseTilesFindNoRoomComputeThemAnew() {
    int numClasses = 140_000;
    try (var run = new Run(numClasses, 2, 192)) {
      float[][] one = run.lossAndGradients(ActiveClasses.all(numClasses, run.targets));
      float[][] three = run.lossAndGradients(run.groups(3));
      for (int part = 0; part < one.length; part++) {
        float largest = 0;
        for (float value : one[part]) {
          largest = Math.max(largest, Math.abs(value));
        }
        assertArrayEquals(one[part], three[part], 1e-4f * largest + 1e-7f, "part " + part);
      }
    }
  }

  /** A batch with all that it takes to train on it. */
  private static final class Run implements AutoCloseable {
    private final int[] targets;
    private final Engine engine = Engine.start(TestBackend.NAME, 2);
    private final ClassWeights weights;
    private final Embeddings embeddings;
    private final SoftmaxHead head;

    Run(int numClasses, int dim, int batchSize) {
      var random = new SplittableRandom(3);
      var features = new float[batchSize][dim];
      for (float[] row : features) {
        for (int j = 0; j < dim; j++) {
          row[j] = (float) random.nextGaussian();
        }
      }
      targets = random.ints(batchSize, 0, numClasses).toArray();
      weights = ClassWeights.allocate(numClasses, dim, LOSS.bias(), RowMatrix.State.NONE);
      weights.matrix().randomise(0.5, dim, 6, engine.workers());
      var shape = new Embeddings.Shape(dim, LOSS.normalised(), LOSS.bias());
      embeddings = new Embeddings(batchSize, shape, engine);
      head = new SoftmaxHead(LOSS, weights, batchSize, engine);
      String[] labels = new String[batchSize];
      Arrays.fill(labels, "unused");
      try (var data = Dataset.of(features, labels);
          var backbone = new FrozenBackbone(dim)) {
        var batch = MiniBatch.range(data, 0, batchSize);
        backbone.read(batch, true);
        embeddings.begin(batchSize);
        backbone.forward(embeddings);
        embeddings.pack(batch);
      }
    }

    /** Groups whose classes are all classes; samples go round. */
    ActiveClasses groups(int numGroups) {
      List<ActiveClasses.Group> groups = new ArrayList<>();
      for (int g = 0; g < numGroups; g++) {
        int number = g;
        int[] samples =
            IntStream.range(0, targets.length).filter(i -> i % numGroups == number).toArray();
        int[] own = Arrays.stream(samples).map(i -> targets[i]).toArray();
        var active = ActiveClasses.all(weights.numClasses(), own);
        groups.add(new ActiveClasses.Group(samples, active));
      }
      return ActiveClasses.ofGroups(groups, targets);
    }

    /** Mean loss; loss of each sample; gradient row of each sample; of each class. */
    float[][] lossAndGradients(ActiveClasses active) {
      int batch = targets.length;
      var parts = new float[1 + batch + weights.numClasses()][];
      parts[0] = new float[batch + 1];
      parts[0][batch] = (float) head.forward(embeddings, active);
      head.backward(
          embeddings, active, (row, gradient, _) -> parts[1 + batch + row] = read(gradient));
      for (int i = 0; i < batch; i++) {
        parts[0][i] = (float) head.exampleLoss(i);
        parts[1 + i] = read(embeddings.gradientRow(i));
      }
      assertEquals(0, Arrays.stream(parts).filter(part -> part == null).count());
      return parts;
    }

    private float[] read(long address) {
      return MemorySegment.ofAddress(address)
          .reinterpret(4L * embeddings.dim())
          .toArray(JAVA_FLOAT_UNALIGNED);
    }

    @Override
    public void close() {
      head.close();
      embeddings.close();
      weights.close();
      engine.close();
    }
  }
}
