// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.compute.StageClock;
import megaclass.compute.Workers;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.data.PlantedClasses;
import megaclass.select.ActiveClasses;
import megaclass.select.ClassSelector;
import megaclass.select.SelectionProblem;
import megaclass.select.SelectorSpec;
import megaclass.weights.ClassWeights;

/**
 * The operands of one thread that reads mini-batches of random examples and lists active classes.
 */
final class BatchMemory implements AutoCloseable {
  static final int BATCH = 256;

  /** Active classes of a batch, targets among them. */
  static final int NUM_ACTIVE = 1000;

  private static final int NUM_CLASSES = 1_000_000;

  private final Engine engine;
  private final Dataset data;
  private final FrozenBackbone backbone;
  private final Embeddings embeddings;
  private final ClassWeights weights;
  private final ClassSelector selector;
  private final int[] targets;
  private final SplittableRandom examples;
  private int draw;
  private ActiveClasses active;

  /**
   * Allocates.
   *
   * @param dataBytes of the examples, about: more than the caches hold
   * @param seed of what is random
   */
  BatchMemory(int dim, long dataBytes, int seed, ComputeBackend backend) {
    engine = new Engine(backend, new Workers(1), new StageClock());
    int numExamples = (int) Math.max(BATCH, dataBytes / (4L * dim));
    data =
        Dataset.synthetic(
            PlantedClasses.defaults()
                .withNumClasses(numExamples)
                .withDim(dim)
                .withExamplesPerClass(1));
    backbone = new FrozenBackbone(dim);
    embeddings = new Embeddings(BATCH, new Embeddings.Shape(dim, true, false), engine);
    weights = ClassWeights.allocate(NUM_CLASSES, 1, false, RowMatrix.State.NONE);
    var problem = new SelectionProblem(weights, true, 1, BATCH, seed, engine);
    double rate = (double) NUM_ACTIVE / NUM_CLASSES;
    selector = ClassSelector.of(SelectorSpec.parse("uniform(" + rate + ")"), problem);
    examples = new SplittableRandom(seed);
    targets = IntStream.range(0, BATCH).map(_ -> examples.nextInt(NUM_CLASSES)).toArray();
    active = ActiveClasses.all(NUM_CLASSES, targets);
  }

  /** Random examples of the data, read and laid out for the products. */
  void readBatch() {
    long[] chosen = new long[BATCH];
    for (int i = 0; i < BATCH; i++) {
      chosen[i] = examples.nextLong(data.numExamples());
    }
    var batch = MiniBatch.of(data, chosen);
    embeddings.begin(BATCH);
    backbone.read(batch, true);
    backbone.forward(embeddings);
    embeddings.pack(batch);
  }

  /** Embeddings of the last batch that was read, (batch, dim). */
  MemorySegment embeddings() {
    return MemorySegment.ofAddress(embeddings.row(0)).reinterpret(4L * BATCH * embeddings.stride());
  }

  /** Targets and candidates of a batch in one set, in order, and where the targets are. */
  void listActiveClasses() {
    active = selector.select(embeddings, targets, draw++);
  }

  /** Ids of the last list, as floats. */
  MemorySegment activeClasses() {
    float[] ids = new float[active.numActive()];
    for (int j = 0; j < ids.length; j++) {
      ids[j] = active.classId(j);
    }
    return MemorySegment.ofArray(ids);
  }

  @Override
  public void close() {
    selector.close();
    weights.close();
    embeddings.close();
    data.close();
    engine.close();
  }
}
