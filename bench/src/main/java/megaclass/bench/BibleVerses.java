// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import megaclass.internal.InvalidFileException;

/**
 * Which verse is this, in the words of a translation that was not trained on? From a folder of
 * files {@code TRANSLATION.tsv}, plain or {@code .gz}, with {@code verse<TAB>text} in each line.
 */
final class BibleVerses {
  /**
   * The translation to test on: word for word from Hebrew and Greek, so that its verses are not
   * those of another in new spelling, as with the many that revise the King James version.
   */
  static final String HELD_OUT = "YLT";

  /** The list of verses stands beside the translations and is none. */
  private static final Pattern TRANSLATION = Pattern.compile("(?!verses\\.)(\\w+)\\.tsv(\\.gz)?");

  private BibleVerses() {}

  /**
   * Writes {@code verse<TAB>text} twice.
   *
   * @param train of all translations but one
   * @param test of that one
   * @throws InvalidFileException when the folder lacks the one, or has no other
   */
  static void convert(Path folder, Path train, Path test) {
    var learned = new TextPairs();
    var heldOut = new TextPairs();
    for (Path file : translations(folder)) {
      var pairs = name(file).equals(HELD_OUT) ? heldOut : learned;
      TextPairs.forEachLine(
          file,
          (line, number) -> {
            int tab = line.indexOf('\t');
            if (tab <= 0) {
              throw new InvalidFileException(file, number, "expected VERSE<TAB>TEXT");
            }
            pairs.add(line.substring(tab + 1), line.substring(0, tab));
          });
    }
    if (learned.isEmpty() || heldOut.isEmpty()) {
      throw new InvalidFileException(
          folder, "expected %s.tsv.gz and other translations in it".formatted(HELD_OUT));
    }
    learned.write(train);
    heldOut.write(test);
  }

  private static List<Path> translations(Path folder) {
    try (var files = Files.list(folder)) {
      return files.filter(file -> !name(file).isEmpty()).sorted().toList();
    } catch (IOException e) {
      throw new InvalidFileException(folder, e);
    }
  }

  /** The name of a translation; empty for other files. */
  private static String name(Path file) {
    var match = TRANSLATION.matcher(String.valueOf(file.getFileName()));
    return match.matches() ? match.group(1) : "";
  }
}
