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
import megaclass.backbone.BackboneSpec;
import megaclass.cli.BuildInfo;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Settings;
import megaclass.cli.source.RunData;
import megaclass.compute.ComputeBackend;
import megaclass.data.Dataset;
import megaclass.data.FeatureKind;
import megaclass.internal.SpecText;
import megaclass.train.MemoryPlan;
import megaclass.train.TrainConfig;

/**
 * What a run will do and need, known before anything is allocated.
 *
 * @param settings all of them, with those that the data decides
 * @param config those of the trainer
 * @param data the examples
 * @param memory bytes by term
 * @param memoryLimit bytes the run may take
 */
public record RunPlan(
    Settings settings, TrainConfig config, RunData data, MemoryPlan memory, long memoryLimit) {

  /** The plan for these settings and data: text takes a bag, dense rows decide the dim. */
  public static RunPlan of(Settings wanted, RunData data) {
    var settings = wanted;
    boolean text = data.train().kind() == FeatureKind.TEXT;
    if (text && wanted.given(RunSettings.BACKBONE).isEmpty()) {
      settings = settings.with(RunSettings.BACKBONE, BackboneSpec.parse("bag"));
    }
    boolean dimIsFree = wanted.given(RunSettings.DIM).isPresent();
    if (settings.get(RunSettings.BACKBONE) instanceof BackboneSpec.Frozen && !text && !dimIsFree) {
      settings = settings.with(RunSettings.DIM, data.train().featureDim());
    }
    var config = settings.trainConfig();
    var memory = MemoryPlan.of(config, data.train().numClasses(), data.fileBytes());
    long limit = settings.get(RunSettings.MEMORY);
    return new RunPlan(settings, config, data, memory, limit == 0 ? Memory.available() : limit);
  }

  /** Refuses what does not fit into memory. */
  public void requireFits() {
    Memory.require(config, data.train().numClasses(), memoryLimit);
  }

  /** Steps of an epoch. */
  public long stepsPerEpoch() {
    return Math.ceilDiv(data.train().numExamples(), config.batchSize());
  }

  /**
   * The plan as the first message of a run.
   *
   * @param run name of the run
   * @param commandLine how the user asked for it
   */
  public Message message(String run, String commandLine) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("megaclass", BuildInfo.version());
    fields.put("run", run);
    fields.put("started", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    fields.put("command", commandLine);
    fields.put("seed", config.seed());
    fields.put("train", facts(data.train()));
    if (data.test() != null) {
      fields.put("test", facts(data.test()));
    }
    fields.put("settings", settingFacts());
    fields.put("compute", backend());
    fields.put("threads", config.threads());
    fields.put("memory", memory.bytes());
    fields.put("memoryLimit", memoryLimit);
    fields.put("stepsPerEpoch", stepsPerEpoch());
    fields.put("hardware", Hardware.describe());
    return new Message("started", fields, String.join("\n", lines(run)));
  }

  private List<String> lines(String run) {
    var lines = new ArrayList<String>();
    lines.add("megaclass %s   run %s   seed %d".formatted(BuildInfo.version(), run, config.seed()));
    lines.add("data      " + line(data.train(), true));
    lines.add(
        "test      "
            + (data.test() == null ? "none: nothing is held out" : line(data.test(), false)));
    lines.add("backbone  %s   dim %d".formatted(config.backbone(), config.dim()));
    lines.add("loss      " + config.loss());
    lines.add("select    " + config.selector());
    lines.add(
        "optim     %s   learning rate %s, backbone %s   %s"
            .formatted(
                config.optimizer(),
                SpecText.text(config.learningRate()),
                SpecText.text(config.backboneLearningRate()),
                config.schedule()));
    lines.add("compute   %s, %d threads".formatted(backend(), config.threads()));
    lines.addAll(memoryLines());
    lines.add(
        "plan      %s epochs x %s steps of %d"
            .formatted(SpecText.text(config.epochs()), count(stepsPerEpoch()), config.batchSize()));
    return lines;
  }

  /** Bytes by term, with their sum first. */
  private List<String> memoryLines() {
    String sum = "memory    %s of %s".formatted(bytes(memory.totalBytes()), bytes(memoryLimit));
    String terms =
        memory.bytes().entrySet().stream()
            .map(term -> term.getKey() + " " + bytes(term.getValue()))
            .collect(Collectors.joining(" + "));
    return List.of(sum + ": " + terms);
  }

  private Map<String, String> settingFacts() {
    var facts = new LinkedHashMap<String, String>();
    for (var setting : settings.known()) {
      String text = settings.text(setting);
      if (!text.isEmpty() && !setting.key().isEmpty()) {
        facts.put(setting.flag().substring(2), text);
      }
    }
    return facts;
  }

  private String backend() {
    return ComputeBackend.named(config.backend()).description();
  }

  private static String line(Dataset data, boolean withClasses) {
    String examples = data.description() + "   " + count(data.numExamples()) + " examples";
    return withClasses
        ? examples + "   " + count(data.numClasses()) + " classes   " + features(data)
        : examples;
  }

  private static String features(Dataset data) {
    return data.kind() == FeatureKind.TEXT ? "text" : data.featureDim() + " features";
  }

  private static Map<String, Object> facts(Dataset data) {
    var facts = new LinkedHashMap<String, Object>();
    facts.put("file", data.description());
    facts.put("examples", data.numExamples());
    facts.put("classes", data.numClasses());
    facts.put("kind", data.kind().name().toLowerCase(Locale.ROOT));
    facts.put("featureDim", data.featureDim());
    return facts;
  }
}
