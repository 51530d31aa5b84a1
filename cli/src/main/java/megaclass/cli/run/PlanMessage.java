// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import static megaclass.cli.text.Quantity.bytes;
import static megaclass.cli.text.Quantity.count;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import megaclass.cli.BuildInfo;
import megaclass.cli.settings.Settings;
import megaclass.cli.text.Lines;
import megaclass.compute.ComputeBackend;
import megaclass.data.Dataset;
import megaclass.data.FeatureKind;
import megaclass.internal.SpecText;
import megaclass.train.MemoryPlan;
import megaclass.train.TrainConfig;

/** What is said before a run: settings, data, memory. */
public final class PlanMessage {
  private static final int WIDTH = 100;

  private PlanMessage() {}

  /**
   * The first message of a run.
   *
   * @param run name of the run
   * @param commandLine how the user asked for it
   */
  public static Message started(RunPlan plan, String run, String commandLine) {
    var lines = new ArrayList<String>();
    lines.add(
        "megaclass %s   run %s   seed %d"
            .formatted(BuildInfo.version(), run, plan.config().seed()));
    lines.addAll(dataLines(plan));
    lines.addAll(settingLines(plan.config()));
    lines.add(memoryLine(plan.memory(), plan.memoryLimit()));
    lines.add(stepsLine(plan));
    return new Message("started", facts(plan, run, commandLine), String.join("\n", lines));
  }

  /** What {@code megaclass plan} says: the same, with the memory as a table. */
  public static Message planned(RunPlan plan, String run, String commandLine) {
    var lines = new ArrayList<String>();
    lines.add("megaclass %s   plan of %s".formatted(BuildInfo.version(), run));
    lines.addAll(dataLines(plan));
    lines.addAll(settingLines(plan.config()));
    lines.add(stepsLine(plan));
    lines.add(memoryTable(plan.memory(), plan.memoryLimit()));
    return new Message("planned", facts(plan, run, commandLine), String.join("\n", lines));
  }

  /** The same without data, for so many classes. */
  public static Message planned(TrainConfig config, int numClasses, long memoryLimit) {
    var memory = MemoryPlan.of(config, numClasses, 0);
    var lines = new ArrayList<String>();
    lines.add("megaclass %s   plan".formatted(BuildInfo.version()));
    lines.add("data      " + count(numClasses) + " classes");
    lines.addAll(settingLines(config));
    lines.add(memoryTable(memory, memoryLimit));
    var facts = new LinkedHashMap<String, Object>();
    facts.put("megaclass", BuildInfo.version());
    facts.put("classes", numClasses);
    facts.put("settings", config.settings());
    facts.put("memory", memory.bytes());
    facts.put("memoryLimit", memoryLimit);
    return new Message("planned", facts, String.join("\n", lines));
  }

  private static Map<String, Object> facts(RunPlan plan, String run, String commandLine) {
    var facts = new LinkedHashMap<String, Object>();
    facts.put("megaclass", BuildInfo.version());
    facts.put("run", run);
    facts.put("started", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    facts.put("command", commandLine);
    facts.put("seed", plan.config().seed());
    facts.put("train", dataFacts(plan.data().train()));
    var test = plan.data().test();
    if (test != null) {
      facts.put("test", dataFacts(test));
    }
    facts.put("settings", settingFacts(plan.settings()));
    facts.put("compute", backend(plan.config()));
    facts.put("threads", plan.config().threads());
    facts.put("memory", plan.memory().bytes());
    facts.put("memoryLimit", plan.memoryLimit());
    facts.put("stepsPerEpoch", plan.stepsPerEpoch());
    facts.put("hardware", Hardware.describe());
    return facts;
  }

  private static Map<String, Object> dataFacts(Dataset data) {
    var facts = new LinkedHashMap<String, Object>();
    facts.put("file", data.description());
    facts.put("examples", data.numExamples());
    facts.put("classes", data.numClasses());
    facts.put("kind", data.kind().name().toLowerCase(Locale.ROOT));
    facts.put("featureDim", data.featureDim());
    return facts;
  }

  private static Map<String, String> settingFacts(Settings settings) {
    var facts = new LinkedHashMap<String, String>();
    for (var setting : settings.known()) {
      String text = settings.text(setting);
      if (!text.isEmpty() && !setting.key().isEmpty()) {
        facts.put(setting.flag().substring(2), text);
      }
    }
    return facts;
  }

  private static List<String> dataLines(RunPlan plan) {
    var train = plan.data().train();
    var test = plan.data().test();
    String features = train.kind() == FeatureKind.TEXT ? "text" : train.featureDim() + " features";
    return List.of(
        "data      %s   %s examples   %s classes   %s"
            .formatted(
                train.description(),
                count(train.numExamples()),
                count(train.numClasses()),
                features),
        test == null
            ? "test      none: nothing is held out"
            : "test      %s   %s examples"
                .formatted(test.description(), count(test.numExamples())));
  }

  private static List<String> settingLines(TrainConfig config) {
    return List.of(
        "backbone  %s   dim %d".formatted(config.backbone(), config.dim()),
        "loss      " + config.loss(),
        "select    " + config.selector(),
        "optim     %s   learning rate %s, of the backbone %s   %s"
            .formatted(
                config.optimizer(),
                SpecText.text(config.learningRate()),
                SpecText.text(config.backboneLearningRate()),
                config.schedule()),
        "compute   %s, %d threads".formatted(backend(config), config.threads()));
  }

  private static String stepsLine(RunPlan plan) {
    return "plan      %s epochs x %s steps of %d"
        .formatted(
            SpecText.text(plan.config().epochs()),
            count(plan.stepsPerEpoch()),
            plan.config().batchSize());
  }

  private static String memoryLine(MemoryPlan memory, long limit) {
    String terms =
        memory.bytes().entrySet().stream()
            .map(term -> term.getKey() + " " + bytes(term.getValue()))
            .collect(Collectors.joining(" + "));
    String sum = bytes(memory.totalBytes()) + " of " + bytes(limit) + " = ";
    String inMemory = Lines.labelled("memory", sum + terms, WIDTH);
    return memory.diskBytes() == 0
        ? inMemory
        : inMemory
            + "\ndisk      %s of class weights, then %s of model"
                .formatted(bytes(memory.diskBytes()), bytes(memory.modelBytes()));
  }

  private static String memoryTable(MemoryPlan memory, long limit) {
    var lines = new ArrayList<String>();
    lines.add("memory");
    memory.bytes().forEach((term, size) -> lines.add("  %-28s %12s".formatted(term, bytes(size))));
    lines.add("  %-28s %12s".formatted("together", bytes(memory.totalBytes())));
    lines.add("  %-28s %12s".formatted("there is", bytes(limit)));
    if (memory.diskBytes() > 0) {
      lines.add("  %-28s %12s".formatted("class weights on disk", bytes(memory.diskBytes())));
    }
    lines.add("  %-28s %12s".formatted("model file", bytes(memory.modelBytes())));
    return String.join("\n", lines);
  }

  private static String backend(TrainConfig config) {
    return ComputeBackend.named(config.backend()).description();
  }
}
