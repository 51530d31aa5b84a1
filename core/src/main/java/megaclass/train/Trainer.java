// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import megaclass.backbone.BackboneSpec;
import megaclass.compute.RowMatrix;
import megaclass.compute.StageClock.Stage;
import megaclass.data.BatchReader;
import megaclass.data.Dataset;
import megaclass.data.FeatureKind;
import megaclass.data.ImageShape;
import megaclass.data.MiniBatch;
import megaclass.eval.Evaluator;
import megaclass.eval.SelectionProbe;
import megaclass.internal.Check;
import megaclass.model.Classifier;
import megaclass.model.ModelParts;
import megaclass.select.SelectorSpec;
import org.jspecify.annotations.Nullable;

/**
 * Trains a classifier: {@code new Trainer(config).fit(train, IO::println)}. Each {@code with}
 * method returns a new trainer; a trainer is immutable, its runs are independent of each other.
 *
 * <p>A run is a function of its settings and data: the same seed gives the same model bit for bit,
 * at any number of threads, also when it was killed and resumed in between. With a network of
 * layers it is so at the same number of threads, since that decides how its sums are rounded.
 */
public final class Trainer {
  private final TrainConfig config;
  private final @Nullable Checkpoints checkpoints;
  private final @Nullable Validation validation;
  private final BooleanSupplier stop;
  private final Map<String, String> provenance;

  private record Checkpoints(Path folder, Duration every, boolean resume) {}

  private record Validation(Dataset test, int k, int times, int examples) {}

  /** Trains with these settings, without checkpoints and validation. */
  public Trainer(TrainConfig config) {
    this(config, null, null, () -> false, Map.of());
  }

  private Trainer(
      TrainConfig config,
      @Nullable Checkpoints checkpoints,
      @Nullable Validation validation,
      BooleanSupplier stop,
      Map<String, String> provenance) {
    this.config = config;
    this.checkpoints = checkpoints;
    this.validation = validation;
    this.stop = stop;
    this.provenance = provenance;
  }

  /**
   * Saves checkpoints, from which a killed run goes on as if nothing had happened.
   *
   * @param folder where; one run a folder
   * @param every time between two checkpoints
   * @param resume whether to go on from the newest checkpoint, if there is one; otherwise those
   *     that are there are deleted
   */
  public Trainer withCheckpoints(Path folder, Duration every, boolean resume) {
    return new Trainer(
        config, new Checkpoints(folder, every, resume), validation, stop, provenance);
  }

  /**
   * Evaluates before the first step and during the run, for the learning curve.
   *
   * @param test held-out examples with the classes of the training data
   * @param k for top-k accuracy, at least 1
   * @param times how often during the run, evenly over the steps; at least 1
   * @param examples how many of them, at least 1; the same ones each time
   */
  public Trainer withValidation(Dataset test, int k, int times, int examples) {
    Check.positive("k", k);
    Check.positive("times", times);
    Check.positive("examples", examples);
    return new Trainer(
        config, checkpoints, new Validation(test, k, times, examples), stop, provenance);
  }

  /** Ends early, with a checkpoint if there is a folder for it, when this says so after a step. */
  public Trainer stopWhen(BooleanSupplier stop) {
    return new Trainer(config, checkpoints, validation, stop, provenance);
  }

  /**
   * Lets the model say more about where it comes from.
   *
   * @param entries by name, in their order; nothing that differs between two equal runs, such as a
   *     time, or their models would differ
   */
  public Trainer withProvenance(Map<String, String> entries) {
    return new Trainer(
        config,
        checkpoints,
        validation,
        stop,
        Collections.unmodifiableMap(new LinkedHashMap<>(entries)));
  }

  /**
   * Trains.
   *
   * @param train at least one example
   * @param listener hears of progress, on this thread
   * @return the trained classifier, also when training was stopped early; to be closed
   * @throws IllegalArgumentException when settings and data do not fit together
   * @throws java.io.UncheckedIOException when a checkpoint cannot be read or written
   * @throws ArithmeticException when an embedding or the loss is not a number any more
   */
  public Classifier fit(Dataset train, Consumer<? super TrainEvent> listener) {
    Check.positive("number of training examples", train.numExamples());
    var reader = new BatchReader(train, config.batchSize(), config.neighbourhood(), config.seed());
    long totalSteps = Math.max(1, Math.round(config.epochs() * reader.stepsPerEpoch()));
    Path folder = checkpoints == null ? null : checkpoints.folder();
    var state = new TrainState(config, train, totalSteps, folder);
    try {
      return new Run(state, train, reader, listener).toEnd();
    } catch (RuntimeException | Error e) {
      state.abandon();
      throw e;
    }
  }

  /** One run of {@link #fit}. */
  private final class Run {
    private final TrainState state;
    private final Dataset train;
    private final BatchReader reader;
    private final Consumer<? super TrainEvent> listener;
    private final TrainLoop loop;
    private final ProgressMeter meter;

    Run(
        TrainState state,
        Dataset train,
        BatchReader reader,
        Consumer<? super TrainEvent> listener) {
      this.state = state;
      this.train = train;
      this.reader = reader;
      this.listener = listener;
      loop = new TrainLoop(state);
      meter = new ProgressMeter(state, reader.stepsPerEpoch(), listener);
    }

    Classifier toEnd() {
      long step = begin();
      meter.goOn(); // initial values are not training
      if (step == 0 && validation != null) {
        evaluate(step, validation);
      }
      boolean stopped = false;
      long lastSave = System.nanoTime();
      MiniBatch next = reader.batch(step);
      while (step < state.totalSteps() && !stopped) {
        MiniBatch batch = next;
        next = reader.batch(step + 1);
        loop.announce(next);
        double loss = loop.step(batch);
        meter.add(++step, loss, loop.touched());
        evaluateIfDue(step);
        stopped = stop.getAsBoolean();
        if (isSaveDue(lastSave) || (stopped && checkpoints != null)) {
          save(step);
          lastSave = System.nanoTime();
        }
      }
      state.catchUpAll();
      state.weights().matrix().flush(state.engine().workers());
      meter.finish(step, step == state.totalSteps());
      Classifier trained = classifier(step); // which takes a copy of the network
      state.close();
      return trained;
    }

    /** Initial values, or those of a checkpoint; returns the steps done. */
    private long begin() {
      long start = System.nanoTime();
      state.engine().clock().enter(Stage.START);
      Path newest = null;
      if (checkpoints != null) {
        var saved = new Checkpoint(checkpoints.folder());
        saved.prepare();
        if (checkpoints.resume()) {
          newest = saved.newest().orElse(null);
        } else {
          saved.clear();
        }
      }
      long step = newest == null ? 0 : Checkpoint.stepsDone(newest, settings());
      listener.accept(
          new TrainEvent.Started(
              MemoryPlan.of(config, train.numClasses(), 0, images()),
              state.description(),
              reader.stepsPerEpoch(),
              state.totalSteps(),
              step));
      if (newest == null) {
        state.initialise(train);
      } else {
        Checkpoint.load(newest, contents(), state.engine().workers());
        state.skipTo(step);
      }
      state.engine().clock().enter(Stage.OTHER);
      listener.accept(new TrainEvent.Initialised((System.nanoTime() - start) * 1e-9));
      return step;
    }

    private @Nullable ImageShape images() {
      return train.kind() == FeatureKind.IMAGE ? train.imageShape() : null;
    }

    private void evaluateIfDue(long step) {
      if (validation == null) {
        return;
      }
      int times = validation.times();
      long before = (step - 1) * times / state.totalSteps();
      if (step * times / state.totalSteps() > before) {
        evaluate(step, validation);
      }
    }

    private void evaluate(long step, Validation on) {
      double seconds = meter.pause();
      state.engine().clock().during(Stage.EVALUATE, () -> measure(step, seconds, on));
      state.engine().clock().enter(Stage.OTHER);
      meter.goOn();
    }

    private void measure(long step, double seconds, Validation on) {
      state.catchUpAll();
      try (var evaluator =
          new Evaluator(
              new Evaluator.Model(state.backbone(), state.weights(), config.loss()),
              on.k(),
              state.engine())) {
        var evaluation = evaluator.evaluate(on.test(), train.classCounts(), on.examples());
        listener.accept(new TrainEvent.Evaluated(step, seconds, evaluation));
      }
      if (step < state.totalSteps() && !(config.selector() instanceof SelectorSpec.All)) {
        measureSelection(step);
      }
    }

    private void measureSelection(long step) {
      try (var probe =
          new SelectionProbe(state.weights(), config.loss(), state.softmax(), state.engine())) {
        var quality = loop.measure(reader.batch(step), probe);
        listener.accept(new TrainEvent.SelectionMeasured(step, quality, state.staleness(step)));
      }
    }

    private boolean isSaveDue(long lastSave) {
      return checkpoints != null && System.nanoTime() - lastSave > checkpoints.every().toNanos();
    }

    private void save(long step) {
      long start = System.nanoTime();
      state.engine().clock().enter(Stage.SAVE);
      state.head().synchronise();
      Checkpoints to = Objects.requireNonNull(checkpoints);
      Path committed =
          new Checkpoint(to.folder()).save(step, settings(), contents(), state.engine().workers());
      long bytes = Checkpoint.sizeInBytes(committed);
      double seconds = (System.nanoTime() - start) * 1e-9;
      state.engine().clock().enter(Stage.OTHER);
      listener.accept(new TrainEvent.CheckpointSaved(step, committed, bytes, seconds));
    }

    private Checkpoint.Contents contents() {
      var parts = new LinkedHashMap<String, Checkpoint.Part>();
      parts.put("selector", new Checkpoint.Part(state.head()::state, state.head()::restore));
      if (config.backbone() instanceof BackboneSpec.Network) {
        var backbone = state.backbone();
        parts.put("backbone", new Checkpoint.Part(backbone::state, backbone::restore));
      }
      return new Checkpoint.Contents(matrices(), parts);
    }

    private Map<String, RowMatrix> matrices() {
      var matrices = new LinkedHashMap<String, RowMatrix>();
      matrices.put("weights", state.weights().matrix());
      RowMatrix table = state.table();
      if (table != null) {
        matrices.put("table", table);
      }
      return matrices;
    }

    /** What must agree between a checkpoint and the run that resumes from it. */
    private Map<String, String> settings() {
      var settings = config.settings();
      settings.put("data", "%016x".formatted(train.contentHash()));
      // Evaluation catches rows up, which rounds differently from catching them up later.
      int evaluations = validation == null ? 0 : validation.times();
      settings.put("evaluations", String.valueOf(evaluations));
      return settings;
    }

    private Classifier classifier(long step) {
      var history = new LinkedHashMap<>(config.settings());
      history.put("data", train.description());
      history.put("dataHash", "%016x".formatted(train.contentHash()));
      history.put("examples", String.valueOf(train.numExamples()));
      history.put("steps", String.valueOf(step));
      history.put("totalSteps", String.valueOf(state.totalSteps()));
      history.put("arithmetic", state.description());
      history.put("java", Runtime.version().toString());
      history.putAll(provenance);
      var parts =
          new ModelParts(
              config.loss(),
              config.backbone(),
              state.weights(),
              state.table(),
              state.network(train),
              train.labels().copy(Arena.ofAuto()), // may outlive the data, which may be mapped
              train.classCounts(),
              Collections.unmodifiableMap(history));
      return new Classifier(parts, state.engine());
    }
  }
}
