// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.head.HeadProblem;
import megaclass.head.HeadSettings;
import megaclass.optim.SparseOptimizer;
import megaclass.weights.ClassWeights;

/** Class weights on the host and one mini-batch after the other: what a head is trained with. */
final class HeadScene implements AutoCloseable {
  private static final long SEED = 21;
  private static final int NUM_EXAMPLES = 512;

  private final HeadSettings settings;
  private final Engine engine;
  private final ClassWeights weights;
  private final Embeddings embeddings;
  private final Dataset examples;
  private int[] targets = new int[0];

  /** Makes random class weights, the same for the same settings, and no batch yet. */
  HeadScene(HeadSettings settings, Engine engine) {
    this.settings = settings;
    this.engine = engine;
    var loss = settings.loss();
    weights =
        ClassWeights.allocate(
            settings.numClasses(),
            settings.dim(),
            loss.bias(),
            SparseOptimizer.stateFor(settings.optimizer()),
            settings.dtype());
    weights.randomise(SEED, engine.workers());
    var shape = new Embeddings.Shape(settings.dim(), loss.normalised(), loss.bias());
    embeddings = new Embeddings(settings.batchSize(), shape, engine);
    examples = examples(settings.dim());
  }

  private static Dataset examples(int dim) {
    var random = new SplittableRandom(SEED);
    var features = new float[NUM_EXAMPLES][dim];
    for (float[] row : features) {
      for (int j = 0; j < dim; j++) {
        row[j] = (float) random.nextGaussian();
      }
    }
    var labels = new String[NUM_EXAMPLES];
    Arrays.fill(labels, "unused");
    return Dataset.of(features, labels);
  }

  HeadProblem problem() {
    return new HeadProblem(settings, weights, SEED, engine);
  }

  ClassWeights weights() {
    return weights;
  }

  Embeddings embeddings() {
    return embeddings;
  }

  /** Class id of each sample of the batch, (batch); some occur twice. */
  int[] targets() {
    return targets;
  }

  /** The batch of a step: every third is smaller than the others. */
  void embed(int step) {
    int most = settings.batchSize();
    int size = step % 3 == 2 ? Math.ceilDiv(most, 2) : most;
    var random = new SplittableRandom(SEED + step);
    targets = random.ints(size, 0, settings.numClasses()).toArray();
    targets[size - 1] = targets[0];
    long[] numbers = LongStream.range(0, size).map(_ -> random.nextLong(NUM_EXAMPLES)).toArray();
    try (var backbone = new FrozenBackbone(settings.dim())) {
      var batch = MiniBatch.of(examples, numbers);
      backbone.read(batch, true);
      embeddings.begin(size);
      backbone.forward(embeddings);
      embeddings.pack(batch);
    }
  }

  /** Rows and all that the optimizer keeps of them, byte by byte. */
  byte[] snapshot() {
    var bytes = new ByteArrayOutputStream();
    for (RowMatrix.Shard shard : weights.matrix().shards()) {
      bytes.writeBytes(shard.rows().toArray(JAVA_BYTE));
      bytes.writeBytes(shard.accumulators().toArray(JAVA_BYTE));
      bytes.writeBytes(shard.lastSteps().toArray(JAVA_BYTE));
    }
    return bytes.toByteArray();
  }

  /** Takes the rows of another scene of the same settings. */
  void copyWeights(HeadScene from) {
    for (int s = 0; s < weights.matrix().shards().size(); s++) {
      var source = from.weights.matrix().shards().get(s);
      var target = weights.matrix().shards().get(s);
      target.rows().copyFrom(source.rows());
      target.accumulators().copyFrom(source.accumulators());
      target.lastSteps().copyFrom(source.lastSteps());
    }
  }

  @Override
  public void close() {
    examples.close();
    embeddings.close();
    weights.close();
  }
}
