// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import java.nio.file.Files;
import java.nio.file.Path;
import megaclass.cli.Console;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Settings;
import megaclass.model.Classifier;

/** The word of a command line that names a model: a {@code .mcm} file or the folder of a run. */
final class ModelArgument {
  private ModelArgument() {}

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
}
