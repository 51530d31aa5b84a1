// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.source;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import megaclass.cli.Console;
import megaclass.cli.UsageException;
import megaclass.data.Dataset;
import megaclass.data.ExampleSource;
import megaclass.data.LabelledText;
import megaclass.data.Labels;
import megaclass.data.NpyFeatures;
import megaclass.formats.ImageCatalogue;
import megaclass.formats.ImageFolder;
import megaclass.formats.ImageList;
import megaclass.formats.ImageSource;
import megaclass.formats.PairFile;
import megaclass.formats.RecordFile;

/** Opens what the user names as data. */
public final class Sources {
  /** How the names of converted files end. */
  public static final String CONVERTED = ".mcd";

  private Sources() {}

  /**
   * Opens a source of examples.
   *
   * @param words its text, and that of its labels where there are any
   * @param images how images are read
   * @param dataFolder where what must be fetched is put
   */
  public static ExampleSource open(
      List<String> words,
      ImageChoice images,
      Path dataFolder,
      Console console,
      PreparationListener listener) {
    if (words.isEmpty() || words.size() > 2) {
      throw new UsageException(
          "expected data, or rows and their labels, but got "
              + (words.isEmpty() ? "nothing" : String.join(" ", words)));
    }
    var spec = SourceSpec.parse(words.getFirst(), words.size() == 2 ? words.getLast() : "", images);
    return open(spec, dataFolder, console, listener);
  }

  /**
   * Opens a data set: a converted one, or one that is read into memory.
   *
   * @param words its text, and that of its labels where there are any
   * @param labels the classes that it should have
   */
  public static Dataset openDataset(
      List<String> words, Labels labels, Console console, PreparationListener listener) {
    if (words.size() == 1 && isConverted(words.getFirst())) {
      return Dataset.open(console.path(words.getFirst()));
    }
    var source = open(words, ImageChoice.NONE, console.folder(), console, listener);
    try (var builder = new Labels.Builder(labels)) {
      return Dataset.read(source, builder);
    }
  }

  /** Whether a word names a converted file. */
  public static boolean isConverted(String word) {
    return word.toLowerCase(Locale.ROOT).endsWith(CONVERTED);
  }

  /** Whether a word names dense rows. */
  public static boolean isRows(String word) {
    return word.toLowerCase(Locale.ROOT).endsWith(SourceSpec.ROWS);
  }

  static ExampleSource open(
      SourceSpec spec, Path dataFolder, Console console, PreparationListener listener) {
    return switch (spec) {
      case SourceSpec.Lemmas(var artifact, var entry) -> {
        var downloads = dataFolder.resolve("maven");
        var jar = downloads.resolve(artifact.fileName());
        if (!Files.exists(jar)) {
          listener.fetching(artifact.toString());
          artifact.fetch(downloads, console.environment());
        }
        yield LemmaDictionary.open(jar, entry, spec.toString());
      }
      case SourceSpec.TextFile(var file) -> new LabelledText(console.path(file));
      case SourceSpec.Rows(var features, var labels) ->
          NpyFeatures.open(console.path(features), console.path(labels));
      case SourceSpec.Images(var place, var path, var choice) ->
          choice.source(catalogue(place, console.path(path), choice));
    };
  }

  private static ImageCatalogue catalogue(
      SourceSpec.ImagePlace place, Path path, ImageChoice choice) {
    return switch (place) {
      case FOLDER -> new ImageFolder(path, choice.classDepth());
      case LIST -> new ImageList(path);
      case RECORDS -> new RecordFile(path);
      case PAIRS -> PairFile.open(path);
    };
  }

  /** Tells which images of a source were left out, once it was read. */
  public static void tellSkipped(ExampleSource source, PreparationListener listener) {
    if (source instanceof ImageSource images && images.skipped().count() > 0) {
      listener.skipped(images.skipped());
    }
  }
}
