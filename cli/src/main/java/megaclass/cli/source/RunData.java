// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.source;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import megaclass.cli.Console;
import megaclass.cli.UsageException;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Settings;
import megaclass.data.Dataset;
import megaclass.internal.InvalidFileException;
import org.jspecify.annotations.Nullable;

/**
 * The data sets of a run. Owns them: close it when nothing reads them any more.
 *
 * @param train examples to learn from
 * @param test examples held out; null when there are none
 * @param fileBytes size of the mapped files
 * @param owners what to close
 */
public record RunData(Dataset train, @Nullable Dataset test, long fileBytes, List<Dataset> owners)
    implements AutoCloseable {

  /** Finds, converts and opens the data that the settings ask for. */
  public static RunData open(Settings settings, Console console, PreparationListener listener) {
    String train = settings.get(RunSettings.TRAIN);
    boolean hasSource = !settings.get(RunSettings.SOURCE).isEmpty();
    if (train.isEmpty() == !hasSource) {
      throw new UsageException(
          hasSource
              ? "got both a training file (%s) and a source (%s) to convert; give one of them"
                  .formatted(train, settings.get(RunSettings.SOURCE))
              : "got no data; name a .mcd file to train on (--train), or a source to convert"
                  + " (--source)");
    }
    if (hasSource) {
      var prepared = PreparedData.of(settings, console);
      prepared.make(listener);
      return open(prepared.train(), prepared.test());
    }
    String test = settings.get(RunSettings.TEST);
    return test.isEmpty()
        ? held(console.path(train), settings)
        : open(console.path(train), console.path(test));
  }

  private static RunData open(Path trainFile, Path testFile) {
    var train = Dataset.open(trainFile);
    try {
      var test = Dataset.open(testFile);
      long bytes = size(trainFile) + size(testFile);
      boolean empty = test.numExamples() == 0;
      return new RunData(train, empty ? null : test, bytes, List.of(train, test));
    } catch (RuntimeException e) {
      train.close();
      throw e;
    }
  }

  /** Holds out a share of the training file. */
  private static RunData held(Path file, Settings settings) {
    var all = Dataset.open(file);
    double share = settings.get(RunSettings.TEST_SHARE);
    if (share == 0) {
      return new RunData(all, null, size(file), List.of(all));
    }
    int atLeast = settings.get(RunSettings.MIN_EXAMPLES_PER_CLASS);
    var split = all.split(share, settings.get(RunSettings.SEED), atLeast);
    var test = split.test().numExamples() == 0 ? null : split.test();
    return new RunData(split.train(), test, size(file), List.of(all));
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new InvalidFileException(file, e);
    }
  }

  @Override
  public void close() {
    owners.forEach(Dataset::close);
  }
}
