// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import megaclass.internal.Check;
import megaclass.internal.InvalidFileException;

/**
 * A folder with a folder for each class, and images in these, at any depth. Files whose names do
 * not end as those of images are ignored, and so is all that starts with a dot. The order is that
 * of the names.
 *
 * @param path the folder
 * @param classDepth how many folders below it name a class: 1 for {@code CLASS/...}; 2 for {@code
 *     ALPHABET/LETTER/...}, whose classes are called {@code ALPHABET/LETTER}
 */
public record ImageFolder(Path path, int classDepth) implements ImageCatalogue {
  private static final Set<String> SUFFIXES =
      Set.of("png", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "gif", "tif", "tiff", "webp");

  /** Folders nest deeper only where a link leads back. */
  private static final int MAX_DEPTH = 40;

  /** Checks the depth. */
  public ImageFolder {
    Check.inRange("classDepth", classDepth, 1, MAX_DEPTH);
  }

  @Override
  public void forEach(Consumer<EncodedImage> into) {
    walk(path, List.of(), (file, names) -> into.accept(image(file, names)));
  }

  /** All images below a folder, at any depth, in the same order; their folders name no class. */
  public static List<Path> imagesBelow(Path folder) {
    var files = new ArrayList<Path>();
    walk(folder, List.of(), (file, _) -> files.add(file));
    return files;
  }

  /** Hands over each image and the names on the way to it, its own last. */
  private static void walk(Path folder, List<String> names, BiConsumer<Path, List<String>> into) {
    if (names.size() > MAX_DEPTH) {
      throw new InvalidFileException(
          folder,
          "lies more than " + MAX_DEPTH + " folders deep; is there a link to a folder above?");
    }
    for (var entry : sorted(folder)) {
      String name = String.valueOf(entry.getFileName());
      var below = new ArrayList<>(names);
      below.add(name);
      if (Files.isDirectory(entry)) {
        walk(entry, below, into);
      } else if (isImage(name)) {
        into.accept(entry, below);
      }
    }
  }

  private EncodedImage image(Path file, List<String> names) {
    int folders = names.size() - 1;
    if (folders < classDepth) {
      throw new InvalidFileException(
          file,
          "lies %d folders below %s, but classes are named by %d; put it into the folder of its class, or change --class-depth"
              .formatted(folders, path, classDepth));
    }
    String label = String.join("/", names.subList(0, classDepth));
    return new EncodedImage(String.join("/", names), label, () -> Files.readAllBytes(file));
  }

  private static List<Path> sorted(Path folder) {
    try (var entries = Files.list(folder)) {
      return entries
          .filter(entry -> !String.valueOf(entry.getFileName()).startsWith("."))
          .sorted(Comparator.comparing(entry -> String.valueOf(entry.getFileName())))
          .toList();
    } catch (IOException e) {
      throw new InvalidFileException(folder, e);
    }
  }

  private static boolean isImage(String name) {
    String suffix = name.substring(name.lastIndexOf('.') + 1);
    return SUFFIXES.contains(suffix.toLowerCase(Locale.ROOT));
  }
}
