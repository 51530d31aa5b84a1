// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import static megaclass.cli.settings.ProtocolSettings.ALL_PAIRS;
import static megaclass.cli.settings.ProtocolSettings.BOOTSTRAP;
import static megaclass.cli.settings.ProtocolSettings.DISTRACTORS;
import static megaclass.cli.settings.ProtocolSettings.EPISODES;
import static megaclass.cli.settings.ProtocolSettings.GALLERY;
import static megaclass.cli.settings.ProtocolSettings.OUT;
import static megaclass.cli.settings.ProtocolSettings.PAIRS;
import static megaclass.cli.settings.ProtocolSettings.PROBES;
import static megaclass.cli.settings.ProtocolSettings.PROTOCOL;
import static megaclass.cli.settings.ProtocolSettings.SHOTS;
import static megaclass.cli.settings.ProtocolSettings.TEMPLATES;
import static megaclass.cli.settings.ProtocolSettings.WAYS;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.cli.BuildInfo;
import megaclass.cli.Console;
import megaclass.cli.report.EvaluationPage;
import megaclass.cli.report.Picture;
import megaclass.cli.run.Message;
import megaclass.cli.run.OpenSetMessage;
import megaclass.cli.run.RunLog;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Settings;
import megaclass.cli.text.Json;
import megaclass.data.Dataset;
import megaclass.data.FeatureKind;
import megaclass.formats.PngImage;
import megaclass.internal.AtomicFiles;
import megaclass.model.Classifier;
import megaclass.openset.Bootstrap;
import megaclass.openset.EmbeddingSet;
import megaclass.openset.ExampleLists;
import megaclass.openset.ExampleNames;
import megaclass.openset.FewShot;
import megaclass.openset.Identification;
import megaclass.openset.Pairs;
import megaclass.openset.Retrieval;
import megaclass.openset.Template;
import megaclass.openset.Verification;

/** One evaluation of the embeddings of a data set by some protocols. */
final class OpenEvaluation {
  private final Settings settings;
  private final Console console;
  private final RunLog log;
  private final Bootstrap bootstrap;
  private final Map<String, Object> results = new LinkedHashMap<>();

  /** Pictures of examples that the page shows, by name. */
  private final Map<String, Picture> pictures = new HashMap<>();

  OpenEvaluation(Settings settings, Console console, RunLog log) {
    this.settings = settings;
    this.console = console;
    this.log = log;
    bootstrap = new Bootstrap(settings.get(BOOTSTRAP), settings.get(RunSettings.SEED));
  }

  /**
   * Embeds the data and measures.
   *
   * @param commandLine for the report
   */
  void run(Classifier classifier, Dataset data, String commandLine) {
    long start = System.nanoTime();
    results.put("megaclass", BuildInfo.version());
    results.put("command", commandLine);
    results.put("data", data.description());
    var names = ExampleNames.of(data);
    try (var examples = classifier.embed(data)) {
      say(OpenSetMessage.embedded(examples, (System.nanoTime() - start) * 1e-9));
      if (settings.get(TEMPLATES).isEmpty()) {
        IntFunction<String> label = item -> data.labels().label(examples.classId(item));
        measure(new Items(examples, names, label, item -> picture(data, item)));
      } else {
        var file = console.path(settings.get(TEMPLATES));
        var templates = ExampleLists.templates(file, names);
        try (var set = Template.embed(examples, templates)) {
          var ids = ExampleNames.of(templates.stream().map(Template::id).toList());
          IntFunction<String> subject = item -> templates.get(item).subject();
          measure(new Items(set, ids, subject, _ -> Optional.empty()));
        }
      }
    }
    write();
  }

  private static Optional<Picture> picture(Dataset data, int example) {
    if (data.kind() != FeatureKind.IMAGE) {
      return Optional.empty();
    }
    var shape = data.imageShape();
    var png = PngImage.encode(shape, data.image(example));
    return Optional.of(Picture.of(png, shape.width(), shape.height()));
  }

  /**
   * What is measured.
   *
   * @param label of the class of an item
   * @param picture of an item, if it is an image
   */
  private record Items(
      EmbeddingSet set,
      ExampleNames names,
      IntFunction<String> label,
      IntFunction<Optional<Picture>> picture) {}

  private void measure(Items items) {
    for (var protocol : settings.get(PROTOCOL)) {
      switch (protocol) {
        case VERIFICATION -> verify(items);
        case IDENTIFICATION -> say(OpenSetMessage.of(identify(items)));
        case FEW_SHOT -> {
          var task =
              new FewShot.Task(
                  settings.get(WAYS),
                  settings.get(SHOTS),
                  settings.get(EPISODES),
                  bootstrap.seed());
          say(OpenSetMessage.of(FewShot.of(items.set(), task)));
        }
        case RETRIEVAL -> say(OpenSetMessage.of(Retrieval.of(items.set(), bootstrap)));
      }
    }
  }

  private void verify(Items items) {
    var found = Verification.of(items.set(), pairs(items), bootstrap);
    var message = OpenSetMessage.of(found);
    var fields = new LinkedHashMap<String, Object>(message.fields());
    fields.put("confused", named(found.confused(), items));
    fields.put("missed", named(found.missed(), items));
    say(new Message(message.event(), fields, message.text()));
    Stream.of(found.confused(), found.missed())
        .flatMap(List::stream)
        .flatMapToInt(pair -> IntStream.of(pair.first(), pair.second()))
        .forEach(item -> draw(item, items));
  }

  private void draw(int item, Items items) {
    items.picture().apply(item).ifPresent(p -> pictures.put(items.names().name(item), p));
  }

  private Pairs pairs(Items items) {
    String text = settings.get(PAIRS);
    if (text.equals(ALL_PAIRS)) {
      return Pairs.all();
    }
    if (text.matches("\\d{1,9}")) {
      return Pairs.drawn(items.set(), Integer.parseInt(text), bootstrap.seed());
    }
    return ExampleLists.pairs(console.path(text), items.names());
  }

  private static List<Map<String, Object>> named(List<Verification.ScoredPair> pairs, Items items) {
    return pairs.stream()
        .map(
            pair -> {
              var fields = new LinkedHashMap<String, Object>();
              fields.put("score", pair.score());
              fields.put("first", items.names().name(pair.first()));
              fields.put("firstClass", items.label().apply(pair.first()));
              fields.put("second", items.names().name(pair.second()));
              fields.put("secondClass", items.label().apply(pair.second()));
              return (Map<String, Object>) fields;
            })
        .toList();
  }

  private Identification identify(Items items) {
    int distractors = settings.get(DISTRACTORS);
    int most = distractors == 0 ? Integer.MAX_VALUE : distractors;
    if (settings.get(PROBES).isEmpty()) {
      return Identification.of(items.set(), most, bootstrap);
    }
    int[] probes = ExampleLists.items(console.path(settings.get(PROBES)), items.names());
    int[] gallery = ExampleLists.items(console.path(settings.get(GALLERY)), items.names());
    return Identification.of(items.set(), probes, gallery, most, bootstrap);
  }

  private void say(Message message) {
    log.say(message);
    results.put(message.event(), message.fields());
  }

  private void write() {
    if (settings.get(OUT).isEmpty()) {
      return;
    }
    var folder = console.path(settings.get(OUT));
    AtomicFiles.writeString(folder.resolve("evaluation.json"), Json.line(results) + "\n");
    var page = folder.resolve("evaluation.html");
    AtomicFiles.writeString(page, EvaluationPage.html(results, pictures));
    log.say(new Message("written", Map.of("report", page.toString()), "report    " + page));
  }
}
