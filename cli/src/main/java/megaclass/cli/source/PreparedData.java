// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.source;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import megaclass.cli.Console;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Settings;
import megaclass.data.Conversion;
import megaclass.internal.AtomicFiles;
import megaclass.internal.InvalidFileException;
import megaclass.internal.TextProperties;

/**
 * A source converted to a training and a test file, once: a note beside the files says what they
 * were made of, and they are made anew only when that is not what is asked for.
 */
public final class PreparedData {
  private static final String NOTE_VERSION = "1";

  private final SourceSpec source;
  private final Conversion conversion;
  private final Path folder;
  private final Console console;

  private PreparedData(SourceSpec source, Conversion conversion, Path folder, Console console) {
    this.source = source;
    this.conversion = conversion;
    this.folder = folder;
    this.console = console;
  }

  /** The files that the settings of a run ask for; nothing is done yet. */
  public static PreparedData of(Settings settings, Console console) {
    var conversion =
        new Conversion(
            settings.get(RunSettings.TEST_SHARE),
            settings.get(RunSettings.MIN_EXAMPLES_PER_CLASS),
            settings.get(RunSettings.SEED));
    return new PreparedData(
        SourceSpec.parse(
            settings.get(RunSettings.SOURCE),
            settings.get(RunSettings.LABELS),
            ImageChoice.of(settings)),
        conversion,
        console.path(settings.get(RunSettings.DATA_FOLDER)),
        console);
  }

  /** The converted training examples. */
  public Path train() {
    return folder.resolve(source.name() + "-train.mcd");
  }

  /** The converted test examples. */
  public Path test() {
    return folder.resolve(source.name() + "-test.mcd");
  }

  /** Makes both files, unless they are there. */
  public void make(PreparationListener listener) {
    if (isMade()) {
      listener.foundConverted(train(), test());
      return;
    }
    var examples = Sources.open(source, folder, console, listener);
    listener.converting(source.toString(), folder);
    long start = System.nanoTime();
    var result = conversion.split(examples, train(), test());
    AtomicFiles.writeString(note(), TextProperties.format(properties()));
    listener.converted(result, (System.nanoTime() - start) * 1e-9);
    Sources.tellSkipped(examples, listener);
  }

  private boolean isMade() {
    if (!Files.exists(note()) || !Files.exists(train()) || !Files.exists(test())) {
      return false;
    }
    try {
      var made = TextProperties.parse(Files.readString(note(), UTF_8));
      return new TreeMap<>(made).equals(new TreeMap<>(properties()));
    } catch (IOException e) {
      throw new InvalidFileException(note(), e);
    }
  }

  /** What the files are made of. */
  private Map<String, String> properties() {
    var properties = new LinkedHashMap<String, String>();
    properties.put("version", NOTE_VERSION);
    properties.put("source", source.toString());
    properties.put("testShare", String.valueOf(conversion.testShare()));
    properties.put("minExamplesPerClass", String.valueOf(conversion.minExamplesPerClass()));
    properties.put("seed", String.valueOf(conversion.seed()));
    switch (source) {
      case SourceSpec.Lemmas _ -> {} // a version of an artifact never changes
      case SourceSpec.TextFile(var file) -> properties.put("file", stamp(file));
      case SourceSpec.Rows(var features, var labels) -> {
        properties.put("features", stamp(features));
        properties.put("labels", stamp(labels));
      }
      case SourceSpec.Images(var place, var path, var choice) -> {
        properties.put("image", choice.toString());
        properties.put(
            "path", place == SourceSpec.ImagePlace.FOLDER ? stampOfFolder(path) : stamp(path));
      }
    }
    return properties;
  }

  /** Size and time of a file: when they differ, it is another file. */
  private String stamp(String file) {
    var path = console.path(file);
    try {
      return Files.size(path) + " bytes, " + Files.getLastModifiedTime(path);
    } catch (IOException e) {
      throw new InvalidFileException(Path.of(file), e);
    }
  }

  /** Number, size and time of the files in a folder. */
  private String stampOfFolder(String folder) {
    long files = 0;
    long bytes = 0;
    var newest = FileTime.fromMillis(0);
    try (var entries = Files.walk(console.path(folder), FileVisitOption.FOLLOW_LINKS)) {
      for (var file : (Iterable<Path>) entries::iterator) {
        var facts = Files.readAttributes(file, BasicFileAttributes.class);
        files++;
        bytes += facts.isDirectory() ? 0 : facts.size();
        var time = facts.lastModifiedTime();
        newest = time.compareTo(newest) > 0 ? time : newest;
      }
    } catch (IOException e) {
      throw new InvalidFileException(Path.of(folder), e);
    }
    return files + " files, " + bytes + " bytes, newest " + newest;
  }

  private Path note() {
    return folder.resolve(source.name() + ".source");
  }
}
