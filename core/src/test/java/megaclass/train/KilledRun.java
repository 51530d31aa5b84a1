// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;
import megaclass.backbone.BackboneSpec;
import megaclass.data.Dataset;
import megaclass.optim.OptimizerSpec;
import megaclass.select.SelectorSpec;

/** A run in a process of its own, which can be killed; used by {@link ResumeTest}. */
final class KilledRun {
  private KilledRun() {}

  /** Memory for about a third of the class weights; a step uses fewer. */
  static final long SMALL_MEMORY = 200 * 256;

  /** Arguments: checkpoint folder, model file, number of threads, memory for class weights. */
  public static void main(String[] args) {
    try (var data = texts()) {
      var trainer =
          new Trainer(
                  config()
                      .withThreads(Integer.parseInt(args[2]))
                      .withWeightsMemory(Long.parseLong(args[3])))
              .withCheckpoints(Path.of(args[0]), Duration.ofMillis(5), true);
      try (var classifier = trainer.fit(data, event -> System.out.println(event))) {
        classifier.save(Path.of(args[1]));
      }
    }
  }

  /** Momentum, decay and dropout, so that a resumed run has much to get wrong. */
  static TrainConfig config() {
    return TrainConfig.defaults()
        .withBackbone(BackboneSpec.parse("bag(chars=2-3, words=1, buckets=3000, dropout=0.3)"))
        .withDim(24)
        .withSelector(SelectorSpec.parse("uniform(0.1) + tail(0.2)"))
        .withOptimizer(OptimizerSpec.parse("sgd(momentum=0.9, nesterov=true, decay=0.001)"))
        .withLearningRate(0.1)
        .withBackboneLearningRate(0.1)
        .withBatchSize(64)
        .withNeighbourhood(4)
        .withEpochs(12);
  }

  static Dataset texts() {
    var random = new SplittableRandom(11);
    String[] texts = new String[2_000];
    String[] labels = new String[texts.length];
    for (int i = 0; i < texts.length; i++) {
      int label = random.nextInt(500);
      texts[i] = Integer.toString(label * 7919, 26) + Integer.toString(random.nextInt(900), 26);
      labels[i] = "label-" + label;
    }
    return Dataset.of(texts, labels);
  }
}
