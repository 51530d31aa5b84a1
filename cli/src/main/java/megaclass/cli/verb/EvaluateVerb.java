// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import megaclass.cli.Arguments;
import megaclass.cli.Console;
import megaclass.cli.ExitCode;
import megaclass.cli.UsageException;
import megaclass.cli.Verb;
import megaclass.cli.run.EvaluationMessage;
import megaclass.cli.run.RunDirectory;
import megaclass.cli.run.RunLog;
import megaclass.cli.settings.ConfigFile;
import megaclass.cli.settings.OutputSettings;
import megaclass.cli.settings.ProtocolSettings;
import megaclass.cli.settings.Question;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Setting;
import megaclass.cli.settings.Settings;
import megaclass.cli.source.RunData;
import megaclass.cli.source.Sources;
import megaclass.data.Dataset;
import megaclass.model.Classifier;

/** {@code megaclass evaluate}: how good a model is on examples it has not seen. */
public final class EvaluateVerb implements Verb {
  private static final Setting<Long> EXAMPLES =
      Setting.longInteger("", "--examples")
          .in(Question.HOW_GOOD, "NUMBER")
          .by("0")
          .allowed("0: all")
          .about("evaluate on so many of them, drawn at random, always the same");

  @Override
  public String name() {
    return "evaluate";
  }

  @Override
  public String summary() {
    return "measure the accuracy of a model, or its embeddings, on a data set";
  }

  @Override
  public List<String> synopses() {
    return List.of(
        "evaluate RUN_FOLDER              on the examples that the run held out",
        "evaluate MODEL DATA.mcd          MODEL: a .mcm file or the folder of a run",
        "evaluate MODEL PAIRS.tsv",
        "evaluate MODEL FEATURES.npy LABELS.txt");
  }

  @Override
  public List<Setting<?>> flags() {
    var flags = new ArrayList<Setting<?>>(List.of(RunSettings.K, EXAMPLES, ModelArgument.RECALL));
    flags.addAll(ProtocolSettings.ALL);
    flags.addAll(List.of(RunSettings.THREADS, RunSettings.BACKEND, OutputSettings.LOG));
    return flags;
  }

  @Override
  public List<String> examples() {
    return List.of(
        "megaclass evaluate runs/lemmas",
        "megaclass evaluate runs/lemmas data/morfologik-polish-2.1.9-test.mcd --k 10",
        "megaclass evaluate runs/lemmas --recall 0.99",
        "megaclass evaluate runs/lemmas --protocol verification,retrieval --pairs 100000 --out"
            + " evaluation");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    var words = arguments.words();
    if (words.isEmpty()) {
      throw new UsageException("expected a model to evaluate: a .mcm file or the folder of a run");
    }
    var settings = arguments.settings(flags());
    ProtocolSettings.requireFitting(settings, List.of(EXAMPLES, ModelArgument.RECALL));
    var log = new RunLog(console, settings.get(OutputSettings.LOG));
    Measure measure =
        settings.get(ProtocolSettings.PROTOCOL).isEmpty()
            ? (classifier, test) -> evaluate(test, classifier, settings, log)
            : openSet(settings, console, log, arguments.commandLine());
    try (var classifier = ModelArgument.load(words.getFirst(), settings, console)) {
      if (words.size() == 1) {
        measureHeldOut(words.getFirst(), classifier, new Output(console, log), measure);
      } else {
        var data = words.subList(1, words.size());
        try (var test =
            Sources.openDataset(
                data, ModelArgument.labels(classifier), console, new PreparationLog(log))) {
          measure.of(classifier, test);
        }
      }
    }
    return ExitCode.DONE;
  }

  /** What is measured of a model on examples. */
  private interface Measure {
    void of(Classifier classifier, Dataset test);
  }

  private static Measure openSet(
      Settings settings, Console console, RunLog log, String commandLine) {
    var evaluation = new OpenEvaluation(settings, console, log);
    return (classifier, test) -> evaluation.run(classifier, test, commandLine);
  }

  private record Output(Console console, RunLog log) {}

  private static void measureHeldOut(
      String word, Classifier classifier, Output output, Measure measure) {
    var config = new RunDirectory(output.console.path(word), word).config();
    if (!Files.exists(config)) {
      throw new UsageException("expected data to evaluate on behind the model " + word);
    }
    var ofRun =
        Settings.defaults(RunSettings.ALL)
            .with(ConfigFile.read(RunSettings.ALL, config, config.toString()));
    try (var data = RunData.open(ofRun, output.console, new PreparationLog(output.log))) {
      var test = data.test();
      if (test == null) {
        throw new UsageException(
            word + " held nothing out; name data to evaluate on behind the model");
      }
      measure.of(classifier, test);
    }
  }

  private static void evaluate(Dataset test, Classifier classifier, Settings settings, RunLog log) {
    ModelArgument.useIndex(classifier, settings, search -> log.say(EvaluationMessage.of(search)));
    long examples = settings.get(EXAMPLES);
    long most = examples == 0 ? Long.MAX_VALUE : examples;
    var evaluation = classifier.evaluate(test, settings.get(RunSettings.K), most);
    log.say(EvaluationMessage.of(evaluation, test.numExamples()));
  }
}
