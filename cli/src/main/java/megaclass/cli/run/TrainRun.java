// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import static megaclass.cli.text.Quantity.bytes;
import static megaclass.cli.text.Quantity.count;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import megaclass.cli.BuildInfo;
import megaclass.cli.ExitCode;
import megaclass.cli.report.Report;
import megaclass.cli.settings.ConfigFile;
import megaclass.cli.settings.RunSettings;
import megaclass.internal.AtomicFiles;
import megaclass.model.Classifier;
import megaclass.train.TrainEvent;
import megaclass.train.Trainer;
import org.jspecify.annotations.Nullable;

/** Trains, saves, evaluates and reports: one run in its folder, from settings to DONE. */
public final class TrainRun {
  /** Checkpoints are off: one is saved when the run is stopped, and no other. */
  private static final Duration NEVER = Duration.ofDays(36_500);

  private final RunDirectory directory;
  private final RunPlan plan;
  private final RunLog log;
  private final Narrator narrator;
  private final boolean resume;
  private TrainEvent.@Nullable Finished finished;

  /** A run in a folder, by a plan. */
  public TrainRun(RunDirectory directory, RunPlan plan, RunLog log, Start start) {
    this.directory = directory;
    this.plan = plan;
    this.log = log;
    this.resume = start.resume();
    this.narrator = new Narrator(directory, log, start, plan.config().initialisation().toString());
  }

  /**
   * How a run begins.
   *
   * @param header the plan as a message
   * @param resume whether it goes on where one was stopped
   */
  public record Start(Message header, boolean resume) {}

  /** Runs; returns the exit code. */
  public int run() {
    var forecast = plan.memory();
    directory.requireSpace(forecast.modelBytes() + (resume ? 0 : forecast.diskBytes()));
    AtomicFiles.writeString(
        directory.config(),
        ConfigFile.write(
            plan.settings(), "All settings of this run; megaclass train repeats it from here."));
    try (var stop = new StopSignal(this::stopping);
        var classifier = trainer(stop).fit(plan.data().train(), this::heard)) {
      if (finished != null && !finished.completed()) {
        return stopped(finished.step());
      }
      save(classifier);
      evaluate(classifier);
    } finally {
      narrator.close();
    }
    report();
    directory.finish(plan.settings().get(RunSettings.CHECKPOINT_KEEP));
    log.say(new Message("done", Map.of("run", directory.name()), "DONE"));
    return ExitCode.DONE;
  }

  private Trainer trainer(StopSignal stop) {
    var settings = plan.settings();
    var every = settings.get(RunSettings.CHECKPOINT_EVERY);
    var trainer =
        new Trainer(plan.config())
            .withCheckpoints(directory.checkpoints(), every.isZero() ? NEVER : every, resume)
            .stopWhen(stop)
            .withProvenance(Map.of("megaclass", BuildInfo.version()));
    var test = plan.data().test();
    int times = settings.get(RunSettings.EVALUATE_TIMES);
    return test == null || times == 0
        ? trainer
        : trainer.withValidation(
            test, settings.get(RunSettings.K), times, settings.get(RunSettings.EVALUATE_EXAMPLES));
  }

  private void heard(TrainEvent event) {
    narrator.accept(event);
    if (event instanceof TrainEvent.Finished end) {
      finished = end;
    }
  }

  private void stopping() {
    String text = "stopping  after this step, with a checkpoint; again: stop at once";
    log.say(new Message("stopping", Map.of(), text));
  }

  private int stopped(long step) {
    String text =
        "stopped   after step %s; this continues: megaclass train %s --resume"
            .formatted(count(step), directory.name());
    narrator.say(new Message("stopped", Map.of("step", step), text));
    return ExitCode.INTERRUPTED;
  }

  private void save(Classifier classifier) {
    classifier.save(directory.model());
    var model = directory.model();
    try {
      long size = Files.size(model);
      String sha256 = sha256(model);
      var fields = new LinkedHashMap<String, Object>();
      fields.put("model", directory.name(model));
      fields.put("bytes", size);
      fields.put("sha256", sha256);
      String text =
          "saved     %s   %s   sha256 %s..."
              .formatted(directory.name(model), bytes(size), sha256.substring(0, 12));
      narrator.say(new Message("saved", fields, text));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + model + ": " + e.getMessage(), e);
    }
  }

  private void evaluate(Classifier classifier) {
    var test = plan.data().test();
    if (test != null) {
      int k = plan.settings().get(RunSettings.K);
      int examples = plan.settings().get(RunSettings.EVALUATE_FINAL_EXAMPLES);
      var evaluation = classifier.evaluate(test, k, examples == 0 ? Long.MAX_VALUE : examples);
      narrator.say(EvaluationMessage.of(evaluation, test.numExamples()));
    }
  }

  private void report() {
    AtomicFiles.writeString(directory.report(), Report.html(Metrics.read(directory.metrics())));
    String name = directory.name(directory.report());
    log.say(new Message("reported", Map.of("report", name), "report    " + name));
  }

  private static String sha256(Path file) throws IOException {
    try (var in =
        new DigestInputStream(Files.newInputStream(file), MessageDigest.getInstance("SHA-256"))) {
      in.transferTo(OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(in.getMessageDigest().digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
