// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import static megaclass.cli.text.Quantity.bytes;
import static megaclass.cli.text.Quantity.count;
import static megaclass.cli.text.Quantity.decimal;
import static megaclass.cli.text.Quantity.duration;
import static megaclass.cli.text.Quantity.percent;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import megaclass.eval.SelectionQuality;
import megaclass.train.TrainEvent;
import org.jspecify.annotations.Nullable;

/**
 * Puts the events of a training run into messages, for the log and for the metrics file. People get
 * a line now and then, programs get all of them.
 */
final class Narrator implements Consumer<TrainEvent> {
  /** At least so many lines a run, evenly. */
  private static final int LINES = 20;

  private static final double SECONDS_BETWEEN_LINES = 60;
  private static final double LEAST_SHARE_TOLD = 0.005;
  private static final List<String> BESIDE_TRAINING = List.of("start", "evaluate", "save");
  private static final String HEADINGS =
      "    step   epoch     loss         lr   examples/s     active   left";

  private final RunDirectory directory;
  private final RunLog log;
  private final boolean resumed;
  private final Message header;
  private final String initialisation;
  private @Nullable Metrics metrics;
  private TrainEvent.@Nullable Progress firstReport;
  private long firstStep;
  private long lastLine;
  private double lastLineSeconds;
  private boolean headingsShown;

  /**
   * A narrator.
   *
   * @param initialisation what happens before the first step, in words
   */
  Narrator(RunDirectory directory, RunLog log, TrainRun.Start start, String initialisation) {
    this.directory = directory;
    this.log = log;
    this.header = start.header();
    this.resumed = start.resume();
    this.initialisation = initialisation.replace('-', ' ');
  }

  /** Says a message of the run. */
  void say(Message message) {
    log.say(message);
    if (metrics != null) {
      metrics.add(message);
    }
  }

  /** No more is said. */
  void close() {
    if (metrics != null) {
      metrics.close();
    }
  }

  @Override
  public void accept(TrainEvent event) {
    switch (event) {
      case TrainEvent.Started started -> started(started);
      case TrainEvent.Initialised initialised -> initialised(initialised);
      case TrainEvent.Progress progress -> progress(progress);
      case TrainEvent.Evaluated evaluated -> evaluated(evaluated);
      case TrainEvent.SelectionMeasured measured -> measured(measured);
      case TrainEvent.CheckpointSaved saved -> saved(saved);
      case TrainEvent.Finished finished -> finished(finished);
    }
  }

  private void started(TrainEvent.Started event) {
    firstStep = event.firstStep();
    metrics =
        resumed
            ? Metrics.resume(directory.metrics(), firstStep)
            : Metrics.start(directory.metrics());
    metrics.add(header);
    if (resumed) {
      var fields = new LinkedHashMap<String, Object>();
      fields.put("step", firstStep);
      fields.put("totalSteps", event.totalSteps());
      String from =
          firstStep == 0
              ? "no checkpoint is there, so it starts at step 0"
              : "step " + count(firstStep) + " of " + count(event.totalSteps());
      say(new Message("resumed", fields, "resume    " + from));
    }
  }

  private void initialised(TrainEvent.Initialised event) {
    var fields = Map.of("initialiseSeconds", event.seconds());
    String what = firstStep > 0 ? "checkpoint" : initialisation;
    say(
        new Message(
            "initialised", fields, "start     " + what + " in " + duration(event.seconds())));
  }

  private void progress(TrainEvent.Progress event) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("step", event.step());
    fields.put("totalSteps", event.totalSteps());
    fields.put("epoch", event.epoch());
    fields.put("loss", event.loss());
    fields.put("learningRate", event.learningRate());
    fields.put("examplesPerSecond", event.examplesPerSecond());
    fields.put("numActive", event.touched().numActive());
    fields.put("classesPerSample", event.touched().classesPerSample());
    fields.put("weightRows", event.touched().weightRows());
    fields.put("tableRows", event.touched().tableRows());
    addStaleness(event.staleness(), fields);
    fields.put("seconds", metrics().seconds(event.seconds()));
    fields.put("stageSeconds", metrics().stageSeconds(event.stageSeconds()));
    String left = duration(secondsLeft(event));
    say(new Message("progress", fields, isLineDue(event) ? line(event, left) : ""));
    log.bar(
        (double) event.step() / event.totalSteps(),
        "step %s of %s   loss %s   %s examples/s   %s left"
            .formatted(
                count(event.step()),
                count(event.totalSteps()),
                decimal(event.loss(), 3),
                count(Math.round(event.examplesPerSecond())),
                left));
  }

  private boolean isLineDue(TrainEvent.Progress event) {
    long line = event.step() * LINES / event.totalSteps();
    boolean due = line > lastLine || event.seconds() - lastLineSeconds >= SECONDS_BETWEEN_LINES;
    if (due) {
      lastLine = line;
      lastLineSeconds = event.seconds();
    }
    return due;
  }

  private String line(TrainEvent.Progress event, String left) {
    String row =
        "%8s %7s %8s %10s %12s %10s   %s%s"
            .formatted(
                count(event.step()),
                decimal(event.epoch(), 2),
                decimal(event.loss(), 3),
                learningRate(event.learningRate()),
                count(Math.round(event.examplesPerSecond())),
                count(event.touched().numActive()),
                left,
                text(event.staleness()));
    String lines = headingsShown ? row : "\n" + HEADINGS + "\n" + row;
    headingsShown = true;
    return lines;
  }

  /** By the speed since the first report: what came before it comes once only. */
  private double secondsLeft(TrainEvent.Progress event) {
    if (firstReport == null) {
      firstReport = event;
    }
    long steps = event.step() - firstReport.step();
    double seconds = event.seconds() - firstReport.seconds();
    double perStep = steps == 0 ? event.seconds() / (event.step() - firstStep) : seconds / steps;
    return perStep * (event.totalSteps() - event.step());
  }

  private void evaluated(TrainEvent.Evaluated event) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("step", event.step());
    fields.put("seconds", metrics().seconds(event.seconds()));
    fields.putAll(EvaluationMessage.fields(event.evaluation()));
    say(
        new Message(
            "evaluated",
            fields,
            EvaluationMessage.text(event.evaluation()) + "   at step " + count(event.step())));
  }

  private void measured(TrainEvent.SelectionMeasured event) {
    SelectionQuality quality = event.quality();
    var fields = new LinkedHashMap<String, Object>();
    fields.put("step", event.step());
    fields.put("samples", quality.samples());
    fields.put("numActive", quality.numActive());
    fields.put("classesPerSample", quality.classesPerSample());
    fields.put("coveredMass", quality.coveredMass());
    fields.put("selectionRecall", quality.selectionRecall());
    fields.put("logZBias", quality.logZBias());
    fields.put("gradientCosine", quality.gradientCosine());
    fields.put("gradientError", quality.gradientError());
    fields.put("cumulativeMass", quality.cumulativeMass());
    addStaleness(event.staleness(), fields);
    String text =
        """
        chosen    %s classes, %s a sample%s
                  covered mass %s   recall of the ten best %s   bias of log Z %s   gradient cosine %s, error %s\
        """
            .formatted(
                count(quality.numActive()),
                decimal(quality.classesPerSample(), 1),
                text(event.staleness()),
                percent(quality.coveredMass(), 2),
                percent(quality.selectionRecall(), 1),
                decimal(quality.logZBias(), 3),
                decimal(quality.gradientCosine(), 3),
                decimal(quality.gradientError(), 3));
    say(new Message("selection", fields, text));
  }

  private static void addStaleness(TrainEvent.Staleness staleness, Map<String, Object> into) {
    into.put("indexAge", staleness.indexAge());
    into.put("drift", staleness.drift());
  }

  /** What follows the weights has no age, and nothing is said. */
  private static String text(TrainEvent.Staleness staleness) {
    return staleness.indexAge() == 0 && staleness.drift() == 0
        ? ""
        : "   index of %s steps ago, drift %s"
            .formatted(count(staleness.indexAge()), percent(staleness.drift(), 1));
  }

  private void saved(TrainEvent.CheckpointSaved event) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("step", event.step());
    fields.put("bytes", event.bytes());
    fields.put("saveSeconds", event.seconds());
    String text =
        "saved     checkpoint at step %s   %s in %s"
            .formatted(count(event.step()), bytes(event.bytes()), duration(event.seconds()));
    say(new Message("checkpoint", fields, text));
  }

  private void finished(TrainEvent.Finished event) {
    var stages = metrics().stageSeconds(event.stageSeconds());
    double seconds = metrics().seconds(event.seconds());
    var fields = new LinkedHashMap<String, Object>();
    fields.put("step", event.step());
    fields.put("completed", event.completed());
    fields.put("seconds", seconds);
    fields.put("stageSeconds", stages);
    var training = new LinkedHashMap<>(stages);
    double beside = BESIDE_TRAINING.stream().mapToDouble(s -> removed(training, s)).sum();
    double all = training.values().stream().mapToDouble(Double::doubleValue).sum();
    String shares =
        training.entrySet().stream()
            .filter(stage -> stage.getValue() / all >= LEAST_SHARE_TOLD)
            .map(stage -> stage.getKey() + " " + percent(stage.getValue() / all, 0))
            .collect(Collectors.joining("   "));
    String text =
        "\ntime      %s of training: %s; and %s to start, evaluate and save"
            .formatted(duration(all), shares, duration(beside));
    say(new Message("finished", fields, text));
  }

  private static double removed(Map<String, Double> stages, String stage) {
    Double seconds = stages.remove(stage);
    return seconds == null ? 0 : seconds;
  }

  private Metrics metrics() {
    return Objects.requireNonNull(metrics, "an event came before Started");
  }

  private static String learningRate(double rate) {
    return rate >= 0.001 || rate == 0 ? decimal(rate, 4) : String.format(Locale.ROOT, "%.2e", rate);
  }
}
