// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import java.util.ArrayList;
import java.util.List;
import megaclass.cli.Arguments;
import megaclass.cli.Console;
import megaclass.cli.ExitCode;
import megaclass.cli.Verb;
import megaclass.cli.run.Memory;
import megaclass.cli.run.PlanMessage;
import megaclass.cli.run.RunLog;
import megaclass.cli.run.RunPlan;
import megaclass.cli.settings.OutputSettings;
import megaclass.cli.settings.Question;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Setting;
import megaclass.cli.settings.Settings;
import megaclass.cli.source.RunData;
import megaclass.internal.Check;

/** {@code megaclass plan}: what a run would do and need. */
public final class PlanVerb implements Verb {
  private static final Setting<Integer> NUM_CLASSES =
      Setting.integer("", "--num-classes")
          .in(Question.FROM_WHAT, "NUMBER")
          .by("0")
          .allowed("0: those of the data")
          .about("plan for so many classes, without data")
          .checked(number -> Check.atLeast("numClasses", number, 0));

  @Override
  public String name() {
    return "plan";
  }

  @Override
  public String summary() {
    return "show what a run would do and how much memory it needs";
  }

  @Override
  public List<String> synopses() {
    return List.of(
        "plan CONFIG.toml [flags]         what megaclass train CONFIG.toml [flags] would do",
        "plan DATA [flags]",
        "plan --num-classes NUMBER [flags]");
  }

  @Override
  public List<Setting<?>> flags() {
    var flags = new ArrayList<Setting<?>>(RunSettings.ALL);
    flags.add(NUM_CLASSES);
    flags.add(OutputSettings.RUN_DIR);
    flags.add(OutputSettings.LOG);
    return flags;
  }

  @Override
  public List<String> examples() {
    return List.of(
        "megaclass plan examples/lemmas/lemmas.toml --dim 256",
        "megaclass plan --num-classes 10000000 --dim 512 --optimizer \"sgd(momentum=0.9)\"");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    var request = TrainRequest.of(arguments, flags(), console);
    var settings = request.settings();
    var log = new RunLog(console, settings.get(OutputSettings.LOG));
    int numClasses = settings.get(NUM_CLASSES);
    if (numClasses > 0) {
      plan(settings, numClasses, log);
    } else {
      try (var data = RunData.open(settings, console, new PreparationLog(log))) {
        var plan = RunPlan.of(settings, data);
        log.say(PlanMessage.planned(plan, request.runName(), arguments.commandLine()));
        plan.requireFits();
      }
    }
    return ExitCode.DONE;
  }

  private static void plan(Settings settings, int numClasses, RunLog log) {
    var config = settings.trainConfig();
    long given = settings.get(RunSettings.MEMORY);
    long limit = given == 0 ? Memory.available() : given;
    log.say(PlanMessage.planned(config, numClasses, limit));
    Memory.require(config, new Memory.Data(numClasses, null), limit);
  }
}
