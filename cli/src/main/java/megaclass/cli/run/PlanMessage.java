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
    var computer = Computer.of(plan.config());
    lines.addAll(dataLines(plan));
    lines.addAll(settingLines(plan.config(), computer));
    lines.add(memoryLine(plan.memory(), plan.memoryLimit()));
    lines.add(stepsLine(plan));
    var facts = facts(plan, computer, run, commandLine);
    return new Message("started", facts, String.join("\n", lines));
  }

  /** What {@code megaclass plan} says: the same, with the memory as a table. */
  public static Message planned(RunPlan plan, String run, String commandLine) {
    var lines = new ArrayList<String>();
    lines.add("megaclass %s   plan of %s".formatted(BuildInfo.version(), run));
    var computer = Computer.of(plan.config());
    lines.addAll(dataLines(plan));
    lines.addAll(settingLines(plan.config(), computer));
    lines.add(stepsLine(plan));
    lines.add(memoryTable(plan.memory(), plan.memoryLimit(), computer));
    var facts = facts(plan, computer, run, commandLine);
    return new Message("planned", facts, String.join("\n", lines));
  }

  /** The same without data, for so many classes. */
  public static Message planned(TrainConfig config, int numClasses, long memoryLimit) {
    var memory = MemoryPlan.of(config, numClasses, 0);
    var lines = new ArrayList<String>();
    lines.add("megaclass %s   plan".formatted(BuildInfo.version()));
    lines.add("data      " + count(numClasses) + " classes");
    var computer = Computer.of(config);
    lines.addAll(settingLines(config, computer));
    lines.add(memoryTable(memory, memoryLimit, computer));
    var facts = new LinkedHashMap<String, Object>();
    facts.put("megaclass", BuildInfo.version());
    facts.put("classes", numClasses);
    facts.put("settings", config.settings());
    putMemory(facts, memory, memoryLimit);
    return new Message("planned", facts, String.join("\n", lines));
  }

  private static Map<String, Object> facts(
      RunPlan plan, Computer computer, String run, String commandLine) {
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
    facts.put("compute", computer.arithmetic() + computer.head());
    facts.put("threads", plan.config().threads());
    putMemory(facts, plan.memory(), plan.memoryLimit());
    facts.put("stepsPerEpoch", plan.stepsPerEpoch());
    facts.put("hardware", Hardware.describe());
    return facts;
  }

  private static void putMemory(Map<String, Object> facts, MemoryPlan memory, long limit) {
    facts.put("memory", memory.bytes());
    facts.put("memoryLimit", limit);
    if (!memory.deviceBytes().isEmpty()) {
      facts.put("deviceMemory", memory.deviceBytes());
    }
  }

  private static Map<String, Object> dataFacts(Dataset data) {
    var facts = new LinkedHashMap<String, Object>();
    facts.put("file", data.description());
    facts.put("examples", data.numExamples());
    facts.put("classes", data.numClasses());
    facts.put("kind", data.kind().name().toLowerCase(Locale.ROOT));
    facts.put("featureDim", data.featureDim());
    if (data.kind() == FeatureKind.IMAGE) {
      facts.put("image", data.imageShape().toString());
    }
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
    String features =
        switch (train.kind()) {
          case DENSE -> train.featureDim() + " features";
          case TEXT -> "text";
          case IMAGE -> train.imageShape() + " images";
        };
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

  private static List<String> settingLines(TrainConfig config, Computer computer) {
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
        "compute   %s, %d threads%s"
            .formatted(computer.arithmetic(), config.threads(), computer.head()));
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
    var lines = new ArrayList<String>();
    lines.add(Lines.labelled("memory", sum + terms, WIDTH));
    if (memory.diskBytes() > 0) {
      lines.add(
          "disk      %s of class weights, then %s of model"
              .formatted(bytes(memory.diskBytes()), bytes(memory.modelBytes())));
    }
    if (!memory.deviceBytes().isEmpty()) {
      lines.add("device    " + bytes(memory.totalDeviceBytes()) + " of its memory");
    }
    return String.join("\n", lines);
  }

  private static String memoryTable(MemoryPlan memory, long limit, Computer computer) {
    var lines = new ArrayList<String>();
    lines.add("memory");
    memory.bytes().forEach((term, size) -> lines.add(row(term, size)));
    lines.add(row("together", memory.totalBytes()));
    lines.add(row("there is", limit));
    if (memory.diskBytes() > 0) {
      lines.add(row("class weights on disk", memory.diskBytes()));
    }
    lines.add(row("model file", memory.modelBytes()));
    if (!memory.deviceBytes().isEmpty()) {
      int count = computer.deviceCount();
      lines.add("memory of " + (count > 1 ? "each of %d devices".formatted(count) : "the device"));
      memory.deviceBytes().forEach((term, size) -> lines.add(row(term, size)));
      lines.add(row("together", memory.totalDeviceBytes()));
      if (computer.device() != null) {
        lines.add(row("there is", computer.device().freeBytes()));
      }
    }
    return String.join("\n", lines);
  }

  private static String row(String term, long size) {
    return "  %-28s %12s".formatted(term, bytes(size));
  }
}
