// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.head.CpuHead;
import megaclass.head.HeadProblem;
import megaclass.head.HeadSettings;
import megaclass.head.TrainingHead;
import megaclass.loss.SoftmaxHead;
import megaclass.optim.SparseOptimizer;
import megaclass.weights.ClassWeights;

/** A run of a head over random examples. */
final class HeadRun implements AutoCloseable {
  static final int NUM_CLASSES = 203;
  static final int DIM = 21;
  static final int BATCH = 19;

  /** Steps of a run; the last one has a smaller batch. */
  static final int STEPS = 6;

  final HeadProblem problem;
  final ClassWeights weights;
  private final Dataset data;
  private final FrozenBackbone backbone = new FrozenBackbone(DIM);
  private final Embeddings embeddings;
  private TrainingHead head;
  private SoftmaxHead softmax;

  HeadRun(HeadSettings settings, Engine engine) {
    weights =
        ClassWeights.allocate(
            NUM_CLASSES,
            DIM,
            settings.loss().bias(),
            SparseOptimizer.stateFor(settings.optimizer()),
            settings.dtype());
    weights.randomise(3, engine.workers());
    problem = new HeadProblem(settings, weights, 5, engine);
    data = data();
    embeddings =
        new Embeddings(
            BATCH,
            new Embeddings.Shape(DIM, settings.loss().normalised(), settings.loss().bias()),
            engine);
    softmax = new SoftmaxHead(settings.loss(), weights, BATCH, engine);
    head = new CpuHead(problem, softmax);
  }

  private static Dataset data() {
    var random = new SplittableRandom(1);
    int count = 40 * NUM_CLASSES;
    float[][] features = new float[count][DIM];
    String[] labels = new String[count];
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < DIM; j++) {
        features[i][j] = (float) random.nextGaussian();
      }
      labels[i] = "c" + i % NUM_CLASSES;
    }
    return Dataset.of(features, labels);
  }

  void startOnHost() {
    head.begin();
  }

  void start(TrainingHead other) {
    head.close();
    head = other;
    head.begin();
  }

  /** Another head takes over, as after a resume. */
  void goOn(TrainingHead other, int steps) {
    goOn(other, steps, _ -> MemorySegment.NULL);
  }

  /** The same with what a checkpoint keeps besides rows. */
  void goOn(TrainingHead other, int steps, Function<String, MemorySegment> sections) {
    head.synchronise();
    head.close();
    head = other;
    head.restore(sections);
    for (int step = 0; step < steps; step++) {
      head.skipStep(rate(step));
    }
  }

  private static double rate(int step) {
    return 0.5 / (1 + step);
  }

  TrainingHead head() {
    return head;
  }

  /** One step; returns its loss. */
  double step(int step) {
    int size = step == STEPS - 1 ? BATCH - 4 : BATCH;
    var random = new SplittableRandom(100 + step);
    var batch = MiniBatch.of(data, random.longs(size, 0, data.numExamples()).toArray());
    embeddings.begin(size);
    backbone.read(batch, true);
    backbone.forward(embeddings);
    embeddings.pack(batch);
    head.beginStep(rate(step));
    head.select(embeddings, batch.classIds(), step);
    double loss = head.forward(embeddings);
    head.backward(embeddings);
    head.endStep(step);
    return loss;
  }

  float[] gradients() {
    float[] gradients = new float[embeddings.size() * DIM];
    for (int i = 0; i < gradients.length; i++) {
      gradients[i] = embeddings.gradient(i / DIM, i % DIM);
    }
    return gradients;
  }

  float[] weights() {
    head.catchUpAll();
    head.synchronise();
    int width = weights.matrix().width();
    float[] all = new float[NUM_CLASSES * width];
    for (int i = 0; i < all.length; i++) {
      all[i] = weights.matrix().get(i / width, i % width);
    }
    return all;
  }

  @Override
  public void close() {
    head.close();
    softmax.close();
    embeddings.close();
    data.close();
    weights.close();
  }
}
