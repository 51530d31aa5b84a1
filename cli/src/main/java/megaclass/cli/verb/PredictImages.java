// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import megaclass.cli.Console;
import megaclass.cli.settings.ImageSettings;
import megaclass.cli.settings.Settings;
import megaclass.data.Dataset;
import megaclass.formats.BadImageException;
import megaclass.formats.ImageDecoder;
import megaclass.formats.ImageFolder;
import megaclass.internal.InvalidFileException;
import megaclass.model.Classifier;
import org.jspecify.annotations.Nullable;

/**
 * The best classes of image files: decoded on all cores to the shape that the model takes, a batch
 * at a time in memory. A file that cannot be used ends it, once those before it are told.
 */
final class PredictImages {
  /** Pixels in memory at once, unless a single image has more. */
  private static final long MAX_BYTES = 1L << 28;

  private final Classifier classifier;
  private final Settings settings;
  private final Console console;
  private final ImageDecoder decoder;

  PredictImages(Classifier classifier, Settings settings, Console console) {
    this.classifier = classifier;
    this.settings = settings;
    this.console = console;
    decoder = new ImageDecoder(classifier.imageShape(), settings.get(ImageSettings.IMAGE_RESIZE));
  }

  /**
   * Tells the classes of all images.
   *
   * @param words files, and folders of them
   * @param most images at once
   */
  void run(List<String> words, int most) {
    var files = words.stream().flatMap(this::files).toList();
    int batch = Math.clamp(MAX_BYTES / decoder.shape().size(), 1, most);
    for (int from = 0; from < files.size(); from += batch) {
      predict(files.subList(from, Math.min(files.size(), from + batch)));
      if (console.out().checkError()) {
        return; // whoever read our output is gone
      }
    }
  }

  /** The files that a word stands for, called as the word calls them. */
  private Stream<Path> files(String word) {
    var place = console.path(word);
    if (!Files.isDirectory(place)) {
      return Stream.of(Path.of(word));
    }
    var inside = ImageFolder.imagesBelow(place);
    if (inside.isEmpty()) {
      throw new InvalidFileException(Path.of(word), "has no images in it");
    }
    return inside.stream().map(file -> Path.of(word).resolve(place.relativize(file)));
  }

  private void predict(List<Path> files) {
    var decoded = files.parallelStream().map(this::decode).toList();
    var pixels = decoded.stream().map(Decoded::pixels).takeWhile(p -> p.length > 0);
    predict(files, pixels.toArray(byte[][]::new));
    for (var image : decoded) {
      if (image.fault() != null) {
        throw image.fault();
      }
    }
  }

  /** (C, H, W) bytes; or none, and why. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Decoded(byte[] pixels, @Nullable InvalidFileException fault) {}

  private Decoded decode(Path file) {
    try {
      return new Decoded(decoder.decode(Files.readAllBytes(console.path(file.toString()))), null);
    } catch (BadImageException e) {
      return new Decoded(
          new byte[0],
          new InvalidFileException(file, e.getMessage() + "; repair it or leave it out"));
    } catch (IOException e) {
      return new Decoded(new byte[0], new InvalidFileException(file, e));
    }
  }

  private void predict(List<Path> files, byte[][] pixels) {
    if (pixels.length == 0) {
      return;
    }
    var labels = PredictVerb.unknown(pixels.length);
    try (var data = Dataset.ofImages(decoder.shape(), pixels, labels)) {
      classifier.predictAll(
          data,
          settings.get(PredictVerb.TOP),
          (predictions, example) -> {
            String file = files.get((int) example).toString();
            console.out().println(PredictVerb.line(file, predictions, settings));
          });
    }
    console.out().flush();
  }
}
