// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import megaclass.cli.Arguments;
import megaclass.cli.Console;
import megaclass.cli.ExitCode;
import megaclass.cli.Verb;
import megaclass.cli.run.Message;
import megaclass.cli.run.PlanMessage;
import megaclass.cli.run.RunDirectory;
import megaclass.cli.run.RunLog;
import megaclass.cli.run.RunPlan;
import megaclass.cli.run.TrainRun;
import megaclass.cli.settings.LogStyle;
import megaclass.cli.settings.OutputSettings;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Setting;
import megaclass.cli.settings.Settings;
import megaclass.cli.source.RunData;

/** {@code megaclass train}: trains a classifier. */
public final class TrainVerb implements Verb {
  @Override
  public String name() {
    return "train";
  }

  @Override
  public String summary() {
    return "train a classifier";
  }

  @Override
  public List<String> synopses() {
    return List.of(
        "train CONFIG.toml [flags]",
        "train DATA.mcd [flags]",
        "train PAIRS.tsv [flags]            a label, a tab and a text in each line",
        "train FEATURES.npy LABELS.txt [flags]",
        "train RUN_FOLDER --resume");
  }

  @Override
  public List<Setting<?>> flags() {
    var flags = new ArrayList<Setting<?>>(RunSettings.ALL);
    flags.addAll(OutputSettings.OF_TRAIN);
    return flags;
  }

  @Override
  public List<String> examples() {
    return List.of(
        "megaclass train examples/lemmas/lemmas.toml",
        "megaclass train examples/lemmas/lemmas.toml --epochs 1 --dim 64 --run-dir runs/small");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    var request = TrainRequest.of(arguments, flags(), console);
    var settings = request.settings();
    var log = log(settings, console);
    var directory = new RunDirectory(console.path(request.runName()), request.runName());
    boolean dryRun = settings.get(OutputSettings.DRY_RUN);
    boolean resume = settings.get(OutputSettings.RESUME);
    if (resume && directory.isDone()) {
      log.say(
          new Message(
              "done",
              Map.of("run", directory.name()),
              directory.name() + " is finished: there is nothing to resume"));
      return ExitCode.DONE;
    }
    if (!dryRun && !resume) {
      directory.start(settings.get(OutputSettings.FORCE));
    }
    try (var data = RunData.open(settings, console, new PreparationLog(log))) {
      var plan = RunPlan.of(settings, data);
      var header =
          dryRun
              ? PlanMessage.planned(plan, directory.name(), arguments.commandLine())
              : PlanMessage.started(plan, directory.name(), arguments.commandLine());
      log.say(header);
      plan.requireFits();
      return dryRun
          ? ExitCode.DONE
          : new TrainRun(directory, plan, log, new TrainRun.Start(header, resume)).run();
    }
  }

  /** The log that the flags ask for. */
  private static RunLog log(Settings settings, Console console) {
    return settings.get(OutputSettings.QUIET)
        ? new RunLog(console, LogStyle.QUIET)
        : new RunLog(console, settings.get(OutputSettings.LOG));
  }
}
