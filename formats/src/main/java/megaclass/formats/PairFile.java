// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import megaclass.data.Dataset;
import megaclass.internal.AtomicFiles;
import megaclass.internal.InvalidFileException;
import net.razorvine.pickle.PickleException;
import net.razorvine.pickle.Unpickler;

/**
 * A verification set of InsightFace, {@code lfw.bin}: a pickle of Python with a list of encoded
 * images, two for each pair, and a list that says of each pair whether both are the same person.
 * The name of an image is its number; who it shows is not known, so all have the class "unknown".
 *
 * <p>The file is held in memory. Immutable.
 */
public final class PairFile implements ImageCatalogue {
  private static final String EXPECTED =
      "is no verification set of InsightFace: expected a pickle of (list of images, list of"
          + " issame)";

  private final Path path;
  private final List<byte[]> images;
  private final List<Boolean> same;

  private PairFile(Path path, List<byte[]> images, List<Boolean> same) {
    this.path = path;
    this.images = images;
    this.same = same;
  }

  /**
   * Reads the file.
   *
   * @throws java.io.UncheckedIOException with one sentence that starts with the file, if it does
   *     not hold what it should
   */
  public static PairFile open(Path path) {
    Object content;
    try (var file = Files.newInputStream(path)) {
      content = new Unpickler().load(file);
    } catch (IOException e) {
      throw new InvalidFileException(path, e);
    } catch (PickleException | ClassCastException | IndexOutOfBoundsException e) {
      throw new InvalidFileException(path, EXPECTED + " (" + e.getMessage() + ")");
    }
    if (!(content instanceof Object[] parts)
        || parts.length != 2
        || !(parts[0] instanceof Collection<?> encoded)
        || !(parts[1] instanceof Collection<?> answers)) {
      throw new InvalidFileException(path, EXPECTED);
    }
    var images = encoded.stream().map(image -> bytes(path, image)).toList();
    var same = answers.stream().map(answer -> answer(path, answer)).toList();
    if (images.size() != 2 * same.size()) {
      throw new InvalidFileException(
          path,
          "has %d images for %d pairs, expected two for each"
              .formatted(images.size(), same.size()));
    }
    return new PairFile(path, images, same);
  }

  /** Python 2 wrote bytes as a string of Latin-1. */
  private static byte[] bytes(Path path, Object image) {
    return switch (image) {
      case byte[] bytes -> bytes;
      case String text -> text.getBytes(ISO_8859_1);
      default -> throw new InvalidFileException(path, EXPECTED);
    };
  }

  private static boolean answer(Path path, Object answer) {
    return switch (answer) {
      case Boolean flag -> flag;
      case Number number -> number.intValue() != 0;
      default -> throw new InvalidFileException(path, EXPECTED);
    };
  }

  @Override
  public Path path() {
    return path;
  }

  /** How many pairs there are. */
  public int numPairs() {
    return same.size();
  }

  @Override
  public void forEach(Consumer<EncodedImage> into) {
    for (int i = 0; i < images.size(); i++) {
      var image = images.get(i);
      into.accept(new EncodedImage(String.valueOf(i), "unknown", () -> image));
    }
  }

  /**
   * Writes {@code name<TAB>name<TAB>1} for each pair of the same person, 0 for others.
   *
   * @param data the converted images; pairs of which it lacks an image are left out
   * @return pairs written
   */
  public long writePairs(Dataset data, Path target) {
    var names = new HashSet<String>();
    for (long example = 0; example < data.numExamples(); example++) {
      names.add(data.name(example));
    }
    var lines =
        IntStream.range(0, same.size())
            .filter(i -> names.contains(2 * i + "") && names.contains(2 * i + 1 + ""))
            .mapToObj(i -> 2 * i + "\t" + (2 * i + 1) + "\t" + (same.get(i) ? 1 : 0) + "\n")
            .toList();
    AtomicFiles.writeString(target, String.join("", lines));
    return lines.size();
  }
}
