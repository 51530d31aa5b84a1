// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

import static megaclass.cli.settings.Question.FROM_WHAT;
import static megaclass.cli.settings.Question.HOW;
import static megaclass.cli.settings.Question.HOW_GOOD;
import static megaclass.cli.settings.Question.WHAT_IF_IT_STOPS;
import static megaclass.cli.settings.Question.WHAT_TO_LEARN;
import static megaclass.cli.settings.Question.WHICH_CLASSES;
import static megaclass.cli.settings.Question.WITH_WHAT;

import java.time.Duration;
import java.util.List;
import megaclass.backbone.BackboneSpec;
import megaclass.cli.settings.Setting.Form;
import megaclass.cli.text.Quantity;
import megaclass.compute.RowFormat;
import megaclass.head.HeadSettings;
import megaclass.head.Precision;
import megaclass.internal.Check;
import megaclass.loss.Loss;
import megaclass.optim.LearningRate;
import megaclass.optim.OptimizerSpec;
import megaclass.select.SelectorSpec;
import megaclass.train.TrainConfig;
import megaclass.weights.Initialisation;

/** The table of all settings of a run, in the order in which they are told. */
public final class RunSettings {
  private static final String AUTO = "auto";
  private static final String ALL_OF_THEM = "all";
  private static final String OFF = "off";

  public static final Setting<Long> SEED =
      Setting.longInteger("seed", "--seed")
          .in(HOW, "NUMBER")
          .by("42")
          .allowed("any whole number")
          .about("everything random follows from it, also what is held out")
          .into(TrainConfig::withSeed);

  public static final Setting<String> TRAIN =
      Setting.text("data.train", "--train")
          .in(FROM_WHAT, "FILE")
          .allowed("a .mcd file")
          .about("examples to learn from, converted already");

  public static final Setting<String> TEST =
      Setting.text("data.test", "--test")
          .in(FROM_WHAT, "FILE")
          .allowed("a .mcd file with the classes of the training file")
          .about("examples to evaluate on; without it a share of the others is held out");

  public static final Setting<String> SOURCE =
      Setting.text("data.source", "--source")
          .in(FROM_WHAT, "SOURCE")
          .allowed(
              "FILE.tsv, FILE.npy, lemmas:GROUP:ARTIFACT:VERSION, or images: FOLDER, FILE.lst,"
                  + " FILE.rec")
          .about("examples to convert once into the data folder, instead of a training file");

  public static final Setting<String> LABELS =
      Setting.text("data.labels", "--labels")
          .in(FROM_WHAT, "FILE")
          .allowed("a text file with a label a line, or a .npy file of integers")
          .about("labels of the rows, when the source is a .npy file");

  public static final Setting<Double> TEST_SHARE =
      Setting.number("data.test_share", "--test-share")
          .in(FROM_WHAT, "SHARE")
          .by("0.1")
          .allowed("[0, 1)")
          .about("share of the examples that is held out, when there is no test file")
          .checked(share -> Check.inRightOpenRange("testShare", share, 0, 1));

  public static final Setting<Integer> MIN_EXAMPLES_PER_CLASS =
      Setting.integer("data.min_examples_per_class", "--min-examples-per-class")
          .in(FROM_WHAT, "NUMBER")
          .by("3")
          .allowed("at least 1")
          .about("an example is held out only if each of its classes has at least so many")
          .checked(number -> Check.positive("minExamplesPerClass", number));

  public static final Setting<String> DATA_FOLDER =
      Setting.text("data.folder", "--data-folder")
          .in(FROM_WHAT, "FOLDER")
          .by("data")
          .allowed("a folder")
          .about("where fetched and converted data lies");

  public static final Setting<BackboneSpec> BACKBONE =
      Setting.of("backbone.spec", "--backbone", Form.TEXT, BackboneSpec::parse)
          .in(WHAT_TO_LEARN, "SPEC")
          .by("frozen")
          .allowed("frozen, bag(...), or a network: smallnet(...), resnet(...), and others below")
          .about(
              "from features to embeddings; frozen: the features are embeddings; texts take a bag,"
                  + " images a network")
          .into(TrainConfig::withBackbone);

  public static final Setting<Integer> DIM =
      Setting.integer("backbone.dim", "--dim")
          .in(WHAT_TO_LEARN, "NUMBER")
          .by("128")
          .allowed("[1, 65536]")
          .about("floats of an embedding and of a class weight; frozen takes the features' own")
          .into(TrainConfig::withDim);

  public static final Setting<Double> BACKBONE_LEARNING_RATE =
      Setting.number("backbone.learning_rate", "--backbone-learning-rate")
          .in(HOW, "RATE")
          .by("0.01")
          .allowed("above 0")
          .about("full learning rate of the backbone")
          .into(TrainConfig::withBackboneLearningRate);

  public static final Setting<RowFormat> DTYPE =
      Setting.of("weights.dtype", "--dtype", Form.TEXT, RowFormat::parse)
          .in(WHAT_TO_LEARN, "FORMAT")
          .by("fp32")
          .allowed("fp32, bf16")
          .about("how class weights are kept; bf16, rounded stochastically, takes half the memory")
          .into(TrainConfig::withDtype);

  public static final Setting<Long> WEIGHTS_MEMORY =
      Setting.of("weights.memory", "--weights-memory", Form.TEXT, RunSettings::weightsMemory)
          .in(WITH_WHAT, "BYTES")
          .by(ALL_OF_THEM)
          .allowed("all, or bytes such as 8g")
          .about("memory for class weights with velocities; if they take more, they lie on disk")
          .writtenWith(
              bytes -> bytes == TrainConfig.ALL_IN_MEMORY ? ALL_OF_THEM : Quantity.bytesText(bytes))
          .into(TrainConfig::withWeightsMemory);

  public static final Setting<Initialisation> INITIALISATION =
      Setting.of("weights.initialisation", "--initialisation", Form.TEXT, Initialisation::parse)
          .in(WHAT_TO_LEARN, "WHERE")
          .by("class-means")
          .allowed("random, class-means")
          .about("where class weights start")
          .into(TrainConfig::withInitialisation);

  public static final Setting<Loss> LOSS =
      Setting.of("loss.spec", "--loss", Form.TEXT, Loss::parse)
          .in(WHAT_TO_LEARN, "SPEC")
          .by("normsoftmax(scale=32)")
          .allowed("softmax, normsoftmax(...), cosface(...), arcface(...), dsoftmax(...)")
          .about("what is minimised")
          .into(TrainConfig::withLoss);

  public static final Setting<SelectorSpec> SELECTOR =
      Setting.of("select.spec", "--selector", Form.TEXT, SelectorSpec::parse)
          .in(WHICH_CLASSES, "SPEC")
          .by("uniform(0.1)")
          .allowed(
              "all, or uniform(...), exactTop(...), ivf(...), forest(...), each with or without"
                  + " additions, as + tail(...)")
          .about("which classes a batch sees")
          .into(TrainConfig::withSelector);

  public static final Setting<OptimizerSpec> OPTIMIZER =
      Setting.of("optim.spec", "--optimizer", Form.TEXT, OptimizerSpec::parse)
          .in(HOW, "SPEC")
          .by("adagrad(epsilon=1e-8)")
          .allowed("sgd(...), adagrad(...)")
          .about("how rows move")
          .into(TrainConfig::withOptimizer);

  public static final Setting<Double> LEARNING_RATE =
      Setting.number("optim.learning_rate", "--learning-rate")
          .in(HOW, "RATE")
          .by("0.01")
          .allowed("above 0")
          .about("full learning rate of the class weights")
          .into(TrainConfig::withLearningRate);

  public static final Setting<LearningRate> SCHEDULE =
      Setting.of("optim.schedule", "--schedule", Form.TEXT, LearningRate::parse)
          .in(HOW, "SPEC")
          .by("linear")
          .allowed("constant, linear(...), cosine(...), step(...), polynomial(...)")
          .about("factor on both learning rates over the run")
          .into(TrainConfig::withSchedule);

  public static final Setting<Double> EPOCHS =
      Setting.number("train.epochs", "--epochs")
          .in(HOW, "NUMBER")
          .by("3")
          .allowed("above 0")
          .about("passes over the examples; may be a fraction")
          .into(TrainConfig::withEpochs);

  public static final Setting<Integer> BATCH_SIZE =
      Setting.integer("train.batch_size", "--batch-size")
          .in(HOW, "NUMBER")
          .by("256")
          .allowed("[1, 65536]")
          .about("examples a step")
          .into(TrainConfig::withBatchSize);

  public static final Setting<Integer> NEIGHBOURHOOD =
      Setting.integer("train.neighbourhood", "--neighbourhood")
          .in(HOW, "NUMBER")
          .by("1")
          .allowed("a power of 2 in [1, 1024]")
          .about("neighbouring examples that stay together in the shuffle")
          .into(TrainConfig::withNeighbourhood);

  public static final Setting<Integer> THREADS =
      Setting.of("train.threads", "--threads", Form.INTEGER, RunSettings::threads)
          .in(WITH_WHAT, "NUMBER")
          .by("0")
          .allowed("[0, 1024]")
          .about("threads that work; 0: one a processor")
          .into(TrainConfig::withThreads);

  public static final Setting<String> BACKEND =
      Setting.text("train.backend", "--backend")
          .in(WITH_WHAT, "NAME")
          .by(AUTO)
          .allowed("auto, vector, scalar, cuda")
          .about(
              "what computes; auto takes vector where there is one; cuda trains class weights on an"
                  + " NVIDIA GPU")
          .into(TrainConfig::withBackend);

  public static final Setting<Long> MEMORY =
      Setting.of("train.memory", "--memory", Form.TEXT, RunSettings::memory)
          .in(WITH_WHAT, "BYTES")
          .by(AUTO)
          .allowed("auto, or bytes such as 16g")
          .about("memory the run may take; auto: what the machine has free")
          .writtenWith(bytes -> bytes == 0 ? AUTO : Quantity.bytesText(bytes));

  public static final Setting<Precision> DEVICE_PRECISION =
      Setting.of("device.precision", "--device-precision", Form.TEXT, Precision::parse)
          .in(WITH_WHAT, "FORMAT")
          .by("tf32")
          .allowed("tf32, bf16, fp32")
          .about("what matrix products on a GPU round their operands to; bf16 is the fastest")
          .into(TrainConfig::withDevicePrecision);

  public static final Setting<Long> DEVICE_MEMORY =
      Setting.of("device.memory", "--device-memory", Form.TEXT, RunSettings::deviceMemory)
          .in(WITH_WHAT, "BYTES")
          .by(ALL_OF_THEM)
          .allowed("all, or bytes such as 40g")
          .about(
              "memory of a GPU for class weights with optimizer state; if they take more, the GPU"
                  + " has those in use and the host all")
          .writtenWith(
              bytes ->
                  bytes == HeadSettings.ALL_ON_DEVICE ? ALL_OF_THEM : Quantity.bytesText(bytes))
          .into(TrainConfig::withDeviceMemory);

  public static final Setting<Integer> DEVICE_NUMBER =
      Setting.integer("device.number", "--device-number")
          .in(WITH_WHAT, "NUMBER")
          .by("0")
          .allowed("at least 0")
          .about("which GPU")
          .into(TrainConfig::withDeviceNumber);

  public static final Setting<Integer> DEVICE_COUNT =
      Setting.integer("device.count", "--device-count")
          .in(WITH_WHAT, "COUNT")
          .by("1")
          .allowed("in [1, 64]")
          .about(
              "how many GPUs share the class weights, from that number on; NCCL is needed for more"
                  + " than one")
          .into(TrainConfig::withDeviceCount);

  public static final Setting<Integer> K =
      Setting.integer("evaluate.k", "--k")
          .in(HOW_GOOD, "NUMBER")
          .by("5")
          .allowed("[1, 1000]")
          .about("how many best classes top-k looks at")
          .checked(k -> Check.inRange("k", k, 1, 1000));

  public static final Setting<Integer> EVALUATE_TIMES =
      Setting.integer("evaluate.times", "--evaluate-times")
          .in(HOW_GOOD, "NUMBER")
          .by("10")
          .allowed("at least 0")
          .about("evaluations during the run, for the learning curve; the one at the end is extra")
          .checked(times -> Check.atLeast("evaluateTimes", times, 0));

  public static final Setting<Integer> EVALUATE_EXAMPLES =
      Setting.integer("evaluate.examples", "--evaluate-examples")
          .in(HOW_GOOD, "NUMBER")
          .by("2000")
          .allowed("at least 1")
          .about("held-out examples of each of them")
          .checked(examples -> Check.positive("evaluateExamples", examples));

  public static final Setting<Integer> EVALUATE_FINAL_EXAMPLES =
      Setting.integer("evaluate.final_examples", "--evaluate-final-examples")
          .in(HOW_GOOD, "NUMBER")
          .by("50000")
          .allowed("at least 0; 0: all")
          .about("held-out examples of the evaluation at the end, a random sample of them")
          .checked(examples -> Check.atLeast("evaluateFinalExamples", examples, 0));

  public static final Setting<Duration> CHECKPOINT_EVERY =
      Setting.of("checkpoint.every", "--checkpoint-every", Form.TEXT, RunSettings::every)
          .in(WHAT_IF_IT_STOPS, "TIME")
          .by("10m")
          .allowed("off, or a time span such as 90s, 10m, 2h")
          .about("time between checkpoints, from which --resume continues")
          .writtenWith(time -> time.isZero() ? OFF : Quantity.durationText(time));

  public static final Setting<Boolean> CHECKPOINT_KEEP =
      Setting.onOff("checkpoint.keep", "--checkpoint-keep")
          .in(WHAT_IF_IT_STOPS, "")
          .allowed("true, false")
          .about("keep the last checkpoint of a finished run");

  /** All of them; sections stand together. */
  public static final List<Setting<?>> ALL =
      List.of(
          SEED,
          TRAIN,
          TEST,
          SOURCE,
          LABELS,
          TEST_SHARE,
          MIN_EXAMPLES_PER_CLASS,
          DATA_FOLDER,
          ImageSettings.IMAGE,
          ImageSettings.IMAGE_RESIZE,
          ImageSettings.BAD_IMAGES,
          ImageSettings.CLASS_DEPTH,
          BACKBONE,
          DIM,
          BACKBONE_LEARNING_RATE,
          NetworkSettings.OPTIMIZER,
          NetworkSettings.SCHEDULE,
          NetworkSettings.CLIP,
          NetworkSettings.PRECISION,
          NetworkSettings.AUGMENT,
          DTYPE,
          WEIGHTS_MEMORY,
          INITIALISATION,
          LOSS,
          SELECTOR,
          OPTIMIZER,
          LEARNING_RATE,
          SCHEDULE,
          EPOCHS,
          BATCH_SIZE,
          NEIGHBOURHOOD,
          THREADS,
          BACKEND,
          MEMORY,
          DEVICE_PRECISION,
          DEVICE_MEMORY,
          DEVICE_NUMBER,
          DEVICE_COUNT,
          K,
          EVALUATE_TIMES,
          EVALUATE_EXAMPLES,
          EVALUATE_FINAL_EXAMPLES,
          CHECKPOINT_EVERY,
          CHECKPOINT_KEEP);

  private RunSettings() {}

  private static Integer threads(String text) {
    int threads = Setting.parseInt(text);
    return threads == 0 ? Integer.valueOf(Runtime.getRuntime().availableProcessors()) : threads;
  }

  private static Long weightsMemory(String text) {
    return text.equals(ALL_OF_THEM)
        ? TrainConfig.ALL_IN_MEMORY
        : Check.positive("weightsMemory", Quantity.parseBytes(text));
  }

  private static Long deviceMemory(String text) {
    return text.equals(ALL_OF_THEM)
        ? HeadSettings.ALL_ON_DEVICE
        : Check.positive("deviceMemory", Quantity.parseBytes(text));
  }

  /** 0 for "auto". */
  private static Long memory(String text) {
    return text.equals(AUTO) ? 0L : Check.positive("memory", Quantity.parseBytes(text));
  }

  /** Zero for "off". */
  private static Duration every(String text) {
    return text.equals(OFF) ? Duration.ZERO : Quantity.parseDuration(text);
  }
}
