// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import megaclass.backbone.BackboneSpec;
import megaclass.backbone.NetworkProvider;
import megaclass.backbone.NetworkTraining;
import megaclass.compute.RowFormat;
import megaclass.data.EpochOrder;
import megaclass.data.ImageShape;
import megaclass.head.HeadEngines;
import megaclass.head.HeadSettings;
import megaclass.head.Precision;
import megaclass.internal.Check;
import megaclass.internal.Hash;
import megaclass.internal.SpecText;
import megaclass.loss.Loss;
import megaclass.optim.LearningRate;
import megaclass.optim.OptimizerSpec;
import megaclass.select.SelectorSpec;
import megaclass.weights.Initialisation;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a training run. Start from {@link #defaults} and change what differs: {@code
 * TrainConfig.defaults().withLoss(Loss.arcFace(64, 0.5)).withEpochs(5)}.
 *
 * @param backbone from features to embeddings
 * @param dim floats of an embedding and of a class weight; a frozen backbone takes the features'
 *     own
 * @param dtype how class weights and their velocities lie in memory and files
 * @param weightsMemory bytes of memory for class weights and their velocities, above 0; if they
 *     take more, they lie on disk and those in use in memory
 * @param deviceMemory bytes of a device for class weights and what the optimizer keeps of each,
 *     above 0; if they take more, those in use are on the device and all in the memory of the host
 * @param initialisation where class weights start
 * @param loss what is minimised
 * @param selector which classes a batch sees
 * @param optimizer how rows move
 * @param learningRate full learning rate of the class weights, above 0
 * @param backboneLearningRate full learning rate of the backbone, above 0
 * @param network how a network of layers is trained; unused with other backbones
 * @param schedule factor on the learning rate over the run
 * @param backboneSchedule factor on that of the backbone; null for the same
 * @param epochs passes over the data, above 0; may be a fraction
 * @param batchSize samples a step, at least 1
 * @param neighbourhood examples next to each other in the data that stay together in the shuffle: a
 *     power of 2 in [1, 1024]; more than 1 where the data is sorted so that neighbours are
 *     confusable
 * @param seed everything random follows from it
 * @param threads threads that work, at least 1
 * @param backend "auto", "vector" or "scalar"; or "cuda", which trains the class weights on a
 *     device
 * @param devicePrecision of matrix products on a device
 * @param deviceNumber which device, from 0; the first one of several
 * @param deviceCount how many devices share the class weights, at least 1
 */
public record TrainConfig(
    BackboneSpec backbone,
    int dim,
    RowFormat dtype,
    long weightsMemory,
    long deviceMemory,
    Initialisation initialisation,
    Loss loss,
    SelectorSpec selector,
    OptimizerSpec optimizer,
    double learningRate,
    double backboneLearningRate,
    NetworkTraining network,
    LearningRate schedule,
    @Nullable LearningRate backboneSchedule,
    double epochs,
    int batchSize,
    int neighbourhood,
    long seed,
    int threads,
    String backend,
    Precision devicePrecision,
    int deviceNumber,
    int deviceCount) {

  private static final long NETWORK = 5;

  /** Keeps all class weights in memory. */
  public static final long ALL_IN_MEMORY = Long.MAX_VALUE;

  /** Checks the ranges. */
  public TrainConfig {
    Check.inRange("dim", dim, 1, 65_536);
    Check.atLeast("weightsMemory", weightsMemory, 1);
    Check.atLeast("deviceMemory", deviceMemory, 1);
    Check.positive("learningRate", learningRate);
    Check.positive("backboneLearningRate", backboneLearningRate);
    Check.positive("epochs", epochs);
    Check.inRange("batchSize", batchSize, 1, 65_536);
    EpochOrder.checkNeighbourhood(neighbourhood);
    Check.inRange("threads", threads, 1, 1024);
    HeadEngines.checkName(backend);
    Check.atLeast("deviceNumber", deviceNumber, 0);
    Check.inRange("deviceCount", deviceCount, 1, 64);
  }

  /** Settings that suit embeddings made by another model, with a tenth of the classes active. */
  public static TrainConfig defaults() {
    return new TrainConfig(
        new BackboneSpec.Frozen(),
        128,
        RowFormat.FP32,
        ALL_IN_MEMORY,
        HeadSettings.ALL_ON_DEVICE,
        Initialisation.CLASS_MEANS,
        Loss.normalisedSoftmax(32),
        new SelectorSpec.Uniform(0.1, false),
        new OptimizerSpec.AdaGrad(1e-8),
        0.01,
        0.01,
        NetworkTraining.defaults(),
        new LearningRate.Linear(0),
        null,
        3,
        256,
        1,
        42,
        Runtime.getRuntime().availableProcessors(),
        "auto",
        Precision.TF32,
        0,
        1);
  }

  /** The same with another backbone. */
  public TrainConfig withBackbone(BackboneSpec backbone) {
    return edited(draft -> draft.backbone = backbone);
  }

  /** The same with another dim. */
  public TrainConfig withDim(int dim) {
    return edited(draft -> draft.dim = dim);
  }

  /** The same with another dtype. */
  public TrainConfig withDtype(RowFormat dtype) {
    return edited(draft -> draft.dtype = dtype);
  }

  /** The same with another weightsMemory. */
  public TrainConfig withWeightsMemory(long weightsMemory) {
    return edited(draft -> draft.weightsMemory = weightsMemory);
  }

  /** The same with another deviceMemory. */
  public TrainConfig withDeviceMemory(long deviceMemory) {
    return edited(draft -> draft.deviceMemory = deviceMemory);
  }

  /** The same with another initialisation. */
  public TrainConfig withInitialisation(Initialisation initialisation) {
    return edited(draft -> draft.initialisation = initialisation);
  }

  /** The same with another loss. */
  public TrainConfig withLoss(Loss loss) {
    return edited(draft -> draft.loss = loss);
  }

  /** The same with another selector. */
  public TrainConfig withSelector(SelectorSpec selector) {
    return edited(draft -> draft.selector = selector);
  }

  /** The same with another optimizer. */
  public TrainConfig withOptimizer(OptimizerSpec optimizer) {
    return edited(draft -> draft.optimizer = optimizer);
  }

  /** The same with another learningRate. */
  public TrainConfig withLearningRate(double learningRate) {
    return edited(draft -> draft.learningRate = learningRate);
  }

  /** The same with another backboneLearningRate. */
  public TrainConfig withBackboneLearningRate(double backboneLearningRate) {
    return edited(draft -> draft.backboneLearningRate = backboneLearningRate);
  }

  /** The same with another network. */
  public TrainConfig withNetwork(NetworkTraining network) {
    return edited(draft -> draft.network = network);
  }

  /** The same with another schedule. */
  public TrainConfig withSchedule(LearningRate schedule) {
    return edited(draft -> draft.schedule = schedule);
  }

  /** The same with another backboneSchedule. */
  public TrainConfig withBackboneSchedule(@Nullable LearningRate backboneSchedule) {
    return edited(draft -> draft.backboneSchedule = backboneSchedule);
  }

  /** The same with another epochs. */
  public TrainConfig withEpochs(double epochs) {
    return edited(draft -> draft.epochs = epochs);
  }

  /** The same with another batchSize. */
  public TrainConfig withBatchSize(int batchSize) {
    return edited(draft -> draft.batchSize = batchSize);
  }

  /** The same with another neighbourhood. */
  public TrainConfig withNeighbourhood(int neighbourhood) {
    return edited(draft -> draft.neighbourhood = neighbourhood);
  }

  /** The same with another seed. */
  public TrainConfig withSeed(long seed) {
    return edited(draft -> draft.seed = seed);
  }

  /** The same with another threads. */
  public TrainConfig withThreads(int threads) {
    return edited(draft -> draft.threads = threads);
  }

  /** The same with another backend. */
  public TrainConfig withBackend(String backend) {
    return edited(draft -> draft.backend = backend);
  }

  /** The same with another devicePrecision. */
  public TrainConfig withDevicePrecision(Precision devicePrecision) {
    return edited(draft -> draft.devicePrecision = devicePrecision);
  }

  /** The same with another deviceNumber. */
  public TrainConfig withDeviceNumber(int deviceNumber) {
    return edited(draft -> draft.deviceNumber = deviceNumber);
  }

  /** The same with another deviceCount. */
  public TrainConfig withDeviceCount(int deviceCount) {
    return edited(draft -> draft.deviceCount = deviceCount);
  }

  /**
   * Settings by name, in their order: what a checkpoint and a model remember of their run. Threads
   * and memory are left out, since they change nothing but the time.
   */
  public Map<String, String> settings() {
    var settings = new LinkedHashMap<String, String>();
    settings.put("backbone", backbone.toString());
    settings.put("dim", String.valueOf(dim));
    settings.put("dtype", dtype.toString());
    settings.put("initialisation", initialisation.toString());
    settings.put("loss", loss.toString());
    settings.put("selector", selector.toString());
    settings.put("optimizer", optimizer.toString());
    settings.put("learningRate", String.valueOf(learningRate));
    settings.put("backboneLearningRate", String.valueOf(backboneLearningRate));
    settings.put("schedule", schedule.toString());
    if (backboneSchedule != null) {
      settings.put("backboneSchedule", backboneSchedule.toString());
    }
    if (backbone instanceof BackboneSpec.Network) {
      settings.put("backboneOptimizer", network.optimizer().toString());
      settings.put("clip", String.valueOf(network.clip()));
      settings.put("backbonePrecision", SpecText.text(network.precision()));
      settings.put("augmentation", network.augmentation().toString());
    }
    settings.put("epochs", String.valueOf(epochs));
    settings.put("batchSize", String.valueOf(batchSize));
    settings.put("neighbourhood", String.valueOf(neighbourhood));
    settings.put("seed", String.valueOf(seed));
    settings.put("backend", backend);
    if (!HeadEngines.isOnHost(backend)) {
      settings.put("devicePrecision", devicePrecision.toString());
    }
    return settings;
  }

  /**
   * What its network is made for.
   *
   * @param spec the backbone
   * @param images shape of the images of the data
   */
  NetworkProvider.Problem networkProblem(BackboneSpec.Network spec, ImageShape images) {
    return new NetworkProvider.Problem(
        spec, dim, images, batchSize, network, Hash.key(seed, NETWORK), threads);
  }

  /**
   * Those of the head.
   *
   * @throws IllegalArgumentException when class weights are to lie on disk and on a device
   */
  public HeadSettings headSettings(int numClasses) {
    if (!HeadEngines.isOnHost(backend) && weightsOnDisk(numClasses)) {
      throw new IllegalArgumentException(
          "backend \"%s\" has a copy of all class weights in memory, but weights.memory is less than they take; take all, or a backend that trains in memory"
              .formatted(backend));
    }
    return new HeadSettings(
        numClasses,
        dim,
        dtype,
        deviceMemory,
        loss,
        selector,
        optimizer,
        batchSize,
        devicePrecision,
        deviceNumber,
        deviceCount);
  }

  /** Whether the weights of so many classes lie on disk, with the velocities of this run. */
  public boolean weightsOnDisk(int numClasses) {
    return weightsMemory < MemoryPlan.rowBytes(this, numClasses);
  }

  private TrainConfig edited(Consumer<TrainConfigDraft> edit) {
    var draft = new TrainConfigDraft(this);
    edit.accept(draft);
    return draft.toConfig();
  }
}
