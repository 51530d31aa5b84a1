// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import megaclass.cli.Arguments;
import megaclass.cli.Console;
import megaclass.cli.ExitCode;
import megaclass.cli.UsageException;
import megaclass.cli.Verb;
import megaclass.cli.settings.ImageSettings;
import megaclass.cli.settings.Question;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Setting;
import megaclass.cli.settings.Settings;
import megaclass.cli.source.Sources;
import megaclass.cli.text.Json;
import megaclass.cli.text.Quantity;
import megaclass.data.Dataset;
import megaclass.data.ExampleSource;
import megaclass.data.FeatureKind;
import megaclass.data.NpyFeatures;
import megaclass.eval.Prediction;
import megaclass.internal.Check;
import megaclass.internal.InvalidFileException;
import megaclass.model.Classifier;

/**
 * {@code megaclass predict}: the best classes of new examples, a line each, as they come in;
 * through an index many at a time.
 */
public final class PredictVerb implements Verb {
  private static final int BATCH = 256;

  /** Lines and rows that are looked for through an index at once. */
  private static final int INDEXED_BATCH = 2048;

  private static final String STANDARD_INPUT = "-";

  static final Setting<Integer> TOP =
      Setting.integer("", "--top")
          .in(Question.OUTPUT, "NUMBER")
          .by("5")
          .allowed("[1, 1000]")
          .about("how many classes an example, best first")
          .checked(top -> Check.inRange("top", top, 1, 1000));

  private static final Setting<String> FORMAT =
      Setting.text("", "--format")
          .in(Question.OUTPUT, "FORMAT")
          .by("tsv")
          .allowed("tsv, json")
          .about("label, tab, score, tab, ... in a line; or a JSON object in a line")
          .checked(PredictVerb::requireFormat);

  @Override
  public String name() {
    return "predict";
  }

  @Override
  public String summary() {
    return "print the best classes of new examples";
  }

  @Override
  public List<String> synopses() {
    return List.of(
        "predict MODEL < LINES            MODEL: a .mcm file or the folder of a run",
        "predict MODEL LINES.txt          an example a line: a text, or the numbers of a row",
        "predict MODEL ROWS.npy           (examples, features), an example a row",
        "predict MODEL DATA.mcd           without regard to the labels in it",
        "predict MODEL IMAGE...           image files, and folders of them");
  }

  @Override
  public List<Setting<?>> flags() {
    return List.of(
        TOP,
        FORMAT,
        ImageSettings.IMAGE_RESIZE,
        ModelArgument.RECALL,
        RunSettings.THREADS,
        RunSettings.BACKEND);
  }

  @Override
  public List<String> examples() {
    return List.of(
        "echo kotami | megaclass predict runs/lemmas",
        "megaclass predict runs/lemmas words.txt --top 1 --format json",
        "megaclass predict runs/faces photo.jpg album/ --format json");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    var words = arguments.words();
    if (words.isEmpty()) {
      throw unexpected(words);
    }
    var settings = arguments.settings(flags());
    try (var classifier = ModelArgument.load(words.getFirst(), settings, console)) {
      ModelArgument.useIndex(
          classifier, settings, search -> console.err().println("search    " + search));
      predict(words, classifier, settings, console);
    }
    return ExitCode.DONE;
  }

  private static void predict(
      List<String> words, Classifier classifier, Settings settings, Console console) {
    String input = words.size() > 1 ? words.get(1) : STANDARD_INPUT;
    boolean oneInput = words.size() <= 2;
    if (oneInput && Sources.isConverted(input)) {
      predictConverted(console.path(input), classifier, settings, console);
    } else if (classifier.featureKind() == FeatureKind.IMAGE) {
      if (words.size() == 1) {
        throw new UsageException("the model takes images: name files or folders of them behind it");
      }
      var images = new PredictImages(classifier, settings, console);
      images.run(words.subList(1, words.size()), batch(settings));
    } else if (!oneInput) {
      throw unexpected(words);
    } else if (Sources.isRows(input)) {
      predictRows(console.path(input), classifier, settings, console);
    } else {
      predictLines(input, classifier, settings, console);
    }
  }

  private static UsageException unexpected(List<String> words) {
    return new UsageException(
        "expected a model and a file of examples (or examples on standard input), but got "
            + (words.isEmpty() ? "nothing" : String.join(" ", words)));
  }

  /** How many examples are looked at together. */
  private static int batch(Settings settings) {
    return ModelArgument.wantsIndex(settings) ? INDEXED_BATCH : BATCH;
  }

  private static void predictConverted(
      Path file, Classifier classifier, Settings settings, Console console) {
    try (var data = Dataset.open(file)) {
      classifier.predictAll(
          data,
          settings.get(TOP),
          (predictions, example) -> {
            String shown =
                data.kind() == FeatureKind.TEXT
                    ? new String(
                        data.text(example).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8)
                    : data.name(example);
            console.out().println(line(shown, predictions, settings));
          });
      console.out().flush();
    }
  }

  /** Rows of any number, a batch at a time in memory. */
  private static void predictRows(
      Path file, Classifier classifier, Settings settings, Console console) {
    var source = NpyFeatures.unlabelled(file);
    if (classifier.featureKind() == FeatureKind.TEXT) {
      throw new InvalidFileException(file, "holds rows of numbers, but the model takes text");
    }
    if (source.featureDim() != classifier.dim()) {
      throw new InvalidFileException(
          file,
          "has rows of %d numbers, but the model takes %d features an example"
              .formatted(source.featureDim(), classifier.dim()));
    }
    int batch = batch(settings);
    var rows = new ArrayList<float[]>();
    long[] done = {0};
    Runnable predict =
        () -> {
          predict(rows, done[0], classifier, settings, console);
          done[0] += rows.size();
          rows.clear();
        };
    source.forEach(
        new ExampleSource.Sink() {
          @Override
          public void row(float[] features, byte[]... labels) {
            rows.add(features.clone());
            if (rows.size() == batch) {
              predict.run();
            }
          }

          @Override
          public void text(byte[] utf8, byte[]... labels) {
            throw new AssertionError("a row is no text");
          }

          @Override
          public void image(byte[] pixels, String name, byte[]... labels) {
            throw new AssertionError("a row is no image");
          }
        });
    predict.run();
  }

  private static void predict(
      List<float[]> rows, long first, Classifier classifier, Settings settings, Console console) {
    if (rows.isEmpty()) {
      return;
    }
    try (var data = Dataset.of(rows.toArray(float[][]::new), unknown(rows.size()))) {
      classifier.predictAll(
          data,
          settings.get(TOP),
          (predictions, example) ->
              console.out().println(line(String.valueOf(first + example), predictions, settings)));
    }
    console.out().flush();
  }

  /** The labels of examples that are to be predicted play no part. */
  static String[] unknown(int count) {
    var labels = new String[count];
    Arrays.fill(labels, "unknown");
    return labels;
  }

  private static void predictLines(
      String input, Classifier classifier, Settings settings, Console console) {
    boolean indexed = ModelArgument.wantsIndex(settings);
    try (var reader = reader(input, console)) {
      long number = 1;
      for (var lines = batch(reader, indexed); !lines.isEmpty(); lines = batch(reader, indexed)) {
        predict(new Lines(input, number, lines), classifier, settings, console);
        number += lines.size();
        if (console.out().checkError()) {
          return; // whoever read our output is gone
        }
      }
    } catch (IOException e) {
      throw new InvalidFileException(Path.of(input), e);
    }
  }

  private static BufferedReader reader(String input, Console console) throws IOException {
    InputStream stream =
        input.equals(STANDARD_INPUT) ? console.in() : Files.newInputStream(console.path(input));
    return new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
  }

  /**
   * The next lines: at least one, unless the input is at its end; all that are there already. An
   * index gets as many as it may, so that what it is measured with depends on no timing.
   */
  private static List<String> batch(BufferedReader reader, boolean indexed) throws IOException {
    int most = indexed ? INDEXED_BATCH : BATCH;
    var lines = new ArrayList<String>();
    do {
      String line = reader.readLine();
      if (line == null) {
        break;
      }
      lines.add(line);
    } while (lines.size() < most && (indexed || reader.ready()));
    return lines;
  }

  /**
   * Lines of input.
   *
   * @param number that of the first, from 1
   */
  private record Lines(String input, long number, List<String> lines) {
    float[] numbers(int line) {
      var words = lines.get(line).strip().split("[\\s,;]+");
      var numbers = new float[words.length];
      for (int i = 0; i < words.length; i++) {
        try {
          numbers[i] = Float.parseFloat(words[i]);
        } catch (NumberFormatException e) {
          throw fault(line, "\"" + words[i] + "\" is no number; give the features of an example");
        }
      }
      return numbers;
    }

    InvalidFileException fault(int line, String problem) {
      String name = input.equals(STANDARD_INPUT) ? "standard input" : input;
      return new InvalidFileException(Path.of(name), number + line, problem);
    }
  }

  private static void predict(
      Lines batch, Classifier classifier, Settings settings, Console console) {
    try (var data = dataset(batch, unknown(batch.lines.size()), classifier)) {
      classifier.predictAll(
          data,
          settings.get(TOP),
          (predictions, example) ->
              console.out().println(line(batch.lines.get((int) example), predictions, settings)));
    }
    console.out().flush();
  }

  private static Dataset dataset(Lines batch, String[] labels, Classifier classifier) {
    if (classifier.featureKind() == FeatureKind.TEXT) {
      return Dataset.of(batch.lines.toArray(String[]::new), labels);
    }
    var rows = new float[labels.length][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = batch.numbers(i);
      if (rows[i].length != classifier.dim()) {
        throw batch.fault(
            i,
            "has %d numbers, but the model takes %d features an example"
                .formatted(rows[i].length, classifier.dim()));
      }
    }
    return Dataset.of(rows, labels);
  }

  static String line(String input, List<Prediction> predictions, Settings settings) {
    if (settings.get(FORMAT).equals("tsv")) {
      return predictions.stream()
          .map(p -> p.label() + "\t" + Quantity.decimal(p.score(), 4))
          .collect(Collectors.joining("\t"));
    }
    var fields = new LinkedHashMap<String, Object>();
    fields.put("input", input);
    fields.put("predictions", predictions.stream().map(PredictVerb::fields).toList());
    return Json.line(fields);
  }

  private static Map<String, Object> fields(Prediction prediction) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("label", prediction.label());
    fields.put("score", prediction.score());
    prediction.probability().ifPresent(share -> fields.put("probability", share));
    return fields;
  }

  private static void requireFormat(String format) {
    if (!List.of("tsv", "json").contains(format)) {
      throw new IllegalArgumentException("must be tsv or json, but was \"" + format + "\"");
    }
  }
}
