// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import java.util.LinkedHashMap;
import java.util.Map;
import megaclass.backbone.BackboneSpec;
import megaclass.compute.ComputeBackend;
import megaclass.data.EpochOrder;
import megaclass.internal.Check;
import megaclass.loss.Loss;
import megaclass.optim.LearningRate;
import megaclass.optim.OptimizerSpec;
import megaclass.select.SelectorSpec;
import megaclass.weights.Initialisation;

/**
 * The settings of a training run. Start from {@link #defaults} and change what differs: {@code
 * TrainConfig.defaults().withLoss(Loss.arcFace(64, 0.5)).withEpochs(5)}.
 *
 * @param backbone from features to embeddings
 * @param dim floats of an embedding and of a class weight; a frozen backbone takes the features'
 *     own
 * @param initialisation where class weights start
 * @param loss what is minimised
 * @param selector which classes a batch sees
 * @param optimizer how rows move
 * @param learningRate full learning rate of the class weights, above 0
 * @param backboneLearningRate full learning rate of the backbone, above 0
 * @param schedule factor on both learning rates over the run
 * @param epochs passes over the data, above 0; may be a fraction
 * @param batchSize samples a step, at least 1
 * @param neighbourhood examples next to each other in the data that stay together in the shuffle: a
 *     power of 2 in [1, 1024]; more than 1 where the data is sorted so that neighbours are
 *     confusable
 * @param seed everything random follows from it
 * @param threads threads that work, at least 1
 * @param backend "auto", "vector" or "scalar"
 */
public record TrainConfig(
    BackboneSpec backbone,
    int dim,
    Initialisation initialisation,
    Loss loss,
    SelectorSpec selector,
    OptimizerSpec optimizer,
    double learningRate,
    double backboneLearningRate,
    LearningRate schedule,
    double epochs,
    int batchSize,
    int neighbourhood,
    long seed,
    int threads,
    String backend) {

  /** Checks the ranges. */
  public TrainConfig {
    Check.inRange("dim", dim, 1, 65_536);
    Check.positive("learningRate", learningRate);
    Check.positive("backboneLearningRate", backboneLearningRate);
    Check.positive("epochs", epochs);
    Check.inRange("batchSize", batchSize, 1, 65_536);
    EpochOrder.checkNeighbourhood(neighbourhood);
    Check.inRange("threads", threads, 1, 1024);
    if (!ComputeBackend.NAMES.contains(backend)) {
      throw new IllegalArgumentException(
          "backend must be one of %s, but was \"%s\""
              .formatted(String.join(", ", ComputeBackend.NAMES), backend));
    }
  }

  /** Settings that suit embeddings made by another model, with a tenth of the classes active. */
  public static TrainConfig defaults() {
    return new TrainConfig(
        new BackboneSpec.Frozen(),
        128,
        Initialisation.CLASS_MEANS,
        Loss.normalisedSoftmax(16),
        new SelectorSpec.Uniform(0.1, false),
        new OptimizerSpec.AdaGrad(1e-8),
        0.1,
        0.1,
        new LearningRate.Linear(0),
        3,
        256,
        1,
        42,
        Runtime.getRuntime().availableProcessors(),
        "auto");
  }

  /** The same with another backbone. */
  public TrainConfig withBackbone(BackboneSpec backbone) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another dim. */
  public TrainConfig withDim(int dim) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another initialisation. */
  public TrainConfig withInitialisation(Initialisation initialisation) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another loss. */
  public TrainConfig withLoss(Loss loss) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another selector. */
  public TrainConfig withSelector(SelectorSpec selector) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another optimizer. */
  public TrainConfig withOptimizer(OptimizerSpec optimizer) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another learningRate. */
  public TrainConfig withLearningRate(double learningRate) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another backboneLearningRate. */
  public TrainConfig withBackboneLearningRate(double backboneLearningRate) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another schedule. */
  public TrainConfig withSchedule(LearningRate schedule) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another epochs. */
  public TrainConfig withEpochs(double epochs) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another batchSize. */
  public TrainConfig withBatchSize(int batchSize) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another neighbourhood. */
  public TrainConfig withNeighbourhood(int neighbourhood) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another seed. */
  public TrainConfig withSeed(long seed) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another threads. */
  public TrainConfig withThreads(int threads) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /** The same with another backend. */
  public TrainConfig withBackend(String backend) {
    return new TrainConfig(
        backbone,
        dim,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        schedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend);
  }

  /**
   * Settings by name, in their order: what a checkpoint and a model remember of their run. Threads
   * are left out, since they change nothing but the time.
   */
  public Map<String, String> settings() {
    var settings = new LinkedHashMap<String, String>();
    settings.put("backbone", backbone.toString());
    settings.put("dim", String.valueOf(dim));
    settings.put("initialisation", initialisation.toString());
    settings.put("loss", loss.toString());
    settings.put("selector", selector.toString());
    settings.put("optimizer", optimizer.toString());
    settings.put("learningRate", String.valueOf(learningRate));
    settings.put("backboneLearningRate", String.valueOf(backboneLearningRate));
    settings.put("schedule", schedule.toString());
    settings.put("epochs", String.valueOf(epochs));
    settings.put("batchSize", String.valueOf(batchSize));
    settings.put("neighbourhood", String.valueOf(neighbourhood));
    settings.put("seed", String.valueOf(seed));
    settings.put("backend", backend);
    return settings;
  }
}
