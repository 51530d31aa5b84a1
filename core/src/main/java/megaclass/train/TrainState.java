// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import megaclass.backbone.Backbone;
import megaclass.backbone.BackboneSpec;
import megaclass.backbone.BagBackbone;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.backbone.Networks;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.head.CpuHead;
import megaclass.head.HeadEngines;
import megaclass.head.HeadProblem;
import megaclass.head.TrainingHead;
import megaclass.internal.Hash;
import megaclass.loss.SoftmaxHead;
import megaclass.model.ModelParts;
import megaclass.optim.LearningRate;
import megaclass.optim.SparseOptimizer;
import megaclass.weights.ClassWeights;
import megaclass.weights.Initialisation;
import org.jspecify.annotations.Nullable;

/**
 * All that a run holds in memory, made from its settings and data. What a checkpoint saves of it is
 * the two matrices; the rest follows from the settings and the number of the step.
 */
final class TrainState implements AutoCloseable {
  private static final String WEIGHTS_FILE = "weights.rows";
  private static final long WEIGHTS = 1;
  private static final long TABLE = 2;
  private static final long DROPOUT = 3;
  private static final long SELECT = 4;

  private final TrainConfig config;
  private final long totalSteps;
  private final Engine engine;
  private final ClassWeights weights;
  private final @Nullable RowMatrix table;

  /** The table; a backbone without parameters has nothing to move, and one row stands in. */
  private final RowMatrix parameters;

  private final Backbone backbone;
  private final Embeddings embeddings;
  private final SoftmaxHead softmax;
  private final TrainingHead head;
  private final String description;
  private final SparseOptimizer backboneOptimizer;

  /**
   * Allocates.
   *
   * @param folder where class weights lie if they are more than memory is for; null for nowhere
   */
  TrainState(TrainConfig config, Dataset train, long totalSteps, @Nullable Path folder) {
    this.config = config;
    this.totalSteps = totalSteps;
    requireMatchingFeatures(config, train);
    var headSettings = config.headSettings(train.numClasses());
    HeadEngines.requireFits(config.backend(), headSettings);
    engine = Engine.start(HeadEngines.arithmetic(config.backend()), config.threads());
    boolean normalised = config.loss().normalised();
    boolean bias = config.loss().bias();
    RowMatrix.State rowState = SparseOptimizer.stateFor(config.optimizer());
    weights = weights(config, train.numClasses(), folder);
    table = table(config, rowState);
    backbone = backbone(config, train, table, engine);
    embeddings =
        new Embeddings(
            config.batchSize(), new Embeddings.Shape(config.dim(), normalised, bias), engine);
    softmax = new SoftmaxHead(config.loss(), weights, config.batchSize(), engine);
    var problem = new HeadProblem(headSettings, weights, Hash.key(config.seed(), SELECT), engine);
    head =
        HeadEngines.provider(config.backend())
            .map(provider -> provider.open(problem))
            .orElseGet(() -> new CpuHead(problem, softmax));
    description = description(config.backend(), engine, head);
    parameters = table == null ? new RowMatrix(1, 1, rowState) : table;
    backboneOptimizer = new SparseOptimizer(config.optimizer(), parameters, engine);
  }

  private static void requireMatchingFeatures(TrainConfig config, Dataset train) {
    BackboneSpec backbone = config.backbone();
    if (train.kind() != backbone.features()) {
      throw new IllegalArgumentException(
          "backbone %s needs %s, but %s holds %s; take %s"
              .formatted(
                  backbone,
                  backbone.features().inWords(),
                  train.description(),
                  train.kind().inWords(),
                  switch (train.kind()) {
                    case DENSE -> "backbone frozen";
                    case TEXT -> "a bag, as in bag(chars=2-5)";
                    case IMAGE -> "a network, as in smallnet";
                  }));
    }
    if (backbone instanceof BackboneSpec.Frozen && train.featureDim() != config.dim()) {
      throw new IllegalArgumentException(
          "dim must be %d with backbone frozen, as the features of %s, but was %d"
              .formatted(train.featureDim(), train.description(), config.dim()));
    }
  }

  private static ClassWeights weights(TrainConfig config, int numClasses, @Nullable Path folder) {
    boolean bias = config.loss().bias();
    RowMatrix.State state = SparseOptimizer.stateFor(config.optimizer());
    if (!config.weightsOnDisk(numClasses)) {
      return ClassWeights.allocate(numClasses, config.dim(), bias, state, config.dtype());
    }
    if (folder == null) {
      throw new IllegalArgumentException(
          "class weights that are more than memory is for need a folder of checkpoints, where they"
              + " lie; give one, or all of them memory");
    }
    return ClassWeights.onDisk(
        folder.resolve(WEIGHTS_FILE),
        numClasses,
        config.dim(),
        bias,
        state,
        config.dtype(),
        config.weightsMemory());
  }

  private static @Nullable RowMatrix table(TrainConfig config, RowMatrix.State rowState) {
    return switch (config.backbone()) {
      case BackboneSpec.Frozen _, BackboneSpec.Network _ -> null;
      case BackboneSpec.Bag bag -> new RowMatrix(bag.buckets(), config.dim(), rowState);
    };
  }

  private static Backbone backbone(
      TrainConfig config, Dataset train, @Nullable RowMatrix table, Engine engine) {
    return switch (config.backbone()) {
      case BackboneSpec.Frozen _ -> new FrozenBackbone(config.dim());
      case BackboneSpec.Bag bag when table != null ->
          new BagBackbone(bag, table, Hash.key(config.seed(), DROPOUT), engine);
      case BackboneSpec.Bag _ -> throw new IllegalStateException("a bag without a table");
      case BackboneSpec.Network network ->
          Networks.provider(network).open(config.networkProblem(network, train.imageShape()));
    };
  }

  private static String description(String backend, Engine engine, TrainingHead head) {
    String arithmetic = engine.backend().description();
    return HeadEngines.isOnHost(backend)
        ? head.description()
        : "%s; head on %s: %s".formatted(arithmetic, backend, head.description());
  }

  /** Fills both matrices with their initial values. */
  void initialise(Dataset train) {
    weights.randomise(Hash.key(config.seed(), WEIGHTS), engine.workers());
    if (table != null) {
      double deviation = 1 / Math.sqrt(config.dim());
      table.randomise(deviation, config.dim(), Hash.key(config.seed(), TABLE), engine.workers());
    }
    if (config.initialisation() == Initialisation.CLASS_MEANS) {
      new ClassMeans(weights, backbone, embeddings, engine).set(train, config.batchSize());
    }
    head.begin();
  }

  /** Tells the optimizers of the steps that a resumed run has behind it. */
  void skipTo(long step) {
    for (long done = 0; done < step; done++) {
      head.skipStep(learningRate(done));
      backboneOptimizer.beginStep(backboneLearningRate(done));
      backboneOptimizer.endStep();
    }
  }

  /**
   * How far what the selector searches is behind.
   *
   * @param step number of the next step
   */
  TrainEvent.Staleness staleness(long step) {
    return new TrainEvent.Staleness(head.age(step), head.drift());
  }

  /** Applies what untouched rows have missed: before evaluation and before a model is saved. */
  void catchUpAll() {
    head.catchUpAll();
    head.synchronise();
    if (table != null) {
      backboneOptimizer.catchUpAll(engine.workers());
    }
  }

  double learningRate(long step) {
    return config.learningRate() * config.schedule().factor(step, totalSteps);
  }

  double backboneLearningRate(long step) {
    LearningRate own = config.backboneSchedule();
    LearningRate schedule = own == null ? config.schedule() : own;
    return config.backboneLearningRate() * schedule.factor(step, totalSteps);
  }

  long totalSteps() {
    return totalSteps;
  }

  Engine engine() {
    return engine;
  }

  ClassWeights weights() {
    return weights;
  }

  /** The backbone's matrix, or null when it has none. */
  @Nullable RowMatrix table() {
    return table;
  }

  /** The backbone's network as a model keeps it, or null when it is none. */
  ModelParts.@Nullable Network network(Dataset train) {
    MemorySegment bytes = backbone.network();
    return bytes == null ? null : new ModelParts.Network(train.imageShape(), bytes);
  }

  Backbone backbone() {
    return backbone;
  }

  Embeddings embeddings() {
    return embeddings;
  }

  TrainingHead head() {
    return head;
  }

  /** Loss and gradients over the class weights on the host, for the head there and for a probe. */
  SoftmaxHead softmax() {
    return softmax;
  }

  /** What computes, as "vector 512 bit"; and the device that trains the head, if there is one. */
  String description() {
    return description;
  }

  SparseOptimizer backboneOptimizer() {
    return backboneOptimizer;
  }

  /** Frees what only training needs; matrices and engine go on with the classifier. */
  @Override
  public void close() {
    head.close();
    softmax.close();
    embeddings.close();
    backbone.close();
    if (table == null) {
      parameters.close();
    }
  }

  /** Frees everything, when there is no classifier to hand it on to. */
  void abandon() {
    close();
    engine.close();
    weights.close();
    if (table != null) {
      table.close();
    }
  }
}
