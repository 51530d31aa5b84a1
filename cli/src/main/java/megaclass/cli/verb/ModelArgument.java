// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import megaclass.cli.Console;
import megaclass.cli.settings.Question;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Setting;
import megaclass.cli.settings.Settings;
import megaclass.data.Labels;
import megaclass.eval.ClassSearch;
import megaclass.eval.Recall;
import megaclass.model.Classifier;

/** The word of a command line that names a model: a {@code .mcm} file or the folder of a run. */
final class ModelArgument {
  private static final String ALL_CLASSES = "off";

  /** 0 when all classes are scored. */
  static final Setting<Double> RECALL =
      Setting.of("", "--recall", Setting.Form.TEXT, ModelArgument::recall)
          .in(Question.HOW_GOOD, "SHARE")
          .by(ALL_CLASSES)
          .allowed("off, or a share in (0, 1] such as 0.99")
          .about(
              "look through an index that finds at least this share of the best classes; off: all"
                  + " classes are scored");

  private ModelArgument() {}

  private static Double recall(String text) {
    if (text.equals(ALL_CLASSES)) {
      return 0.0;
    }
    try {
      return Recall.requireShare(Double.parseDouble(text));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "must be off or a share in (0, 1] such as 0.99, but was \"" + text + "\"", e);
    }
  }

  /** Whether an index is asked for. */
  static boolean wantsIndex(Settings settings) {
    return settings.get(RECALL) > 0;
  }

  /** Has a model look for the best classes through an index, if one is asked for. */
  static void useIndex(Classifier classifier, Settings settings, Consumer<ClassSearch> listener) {
    if (wantsIndex(settings)) {
      classifier.searchThroughIndex(new Recall(settings.get(RECALL), listener));
    }
  }

  /** The model file that a word names. */
  static Path file(String word, Console console) {
    var path = console.path(word);
    return Files.isDirectory(path) ? path.resolve("model.mcm") : path;
  }

  /** Loads the model that a word names, with the threads and backend of the settings. */
  static Classifier load(String word, Settings settings, Console console) {
    return Classifier.load(
        file(word, console), settings.get(RunSettings.THREADS), settings.get(RunSettings.BACKEND));
  }

  /** The classes of a model, which those of data that is read go on from. */
  static Labels labels(Classifier classifier) {
    return Labels.of(
        IntStream.range(0, classifier.numClasses()).mapToObj(classifier::label).toList());
  }
}
