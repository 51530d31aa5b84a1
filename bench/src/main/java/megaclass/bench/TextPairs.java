// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ObjLongConsumer;
import java.util.zip.GZIPInputStream;
import megaclass.internal.AtomicFiles;
import megaclass.internal.InvalidFileException;

/**
 * Texts and their labels, to be written as {@code label<TAB>text}. Equal texts follow each other,
 * so that {@code megaclass convert} makes one example with all their labels of them: any of these
 * is then right.
 */
final class TextPairs {
  private record Pair(String text, String label) {}

  private final List<Pair> pairs = new ArrayList<>();

  /** Adds a pair; an empty text is no example. */
  void add(String text, String label) {
    String stripped = text.strip();
    if (!stripped.isEmpty()) {
      pairs.add(new Pair(stripped, label));
    }
  }

  boolean isEmpty() {
    return pairs.isEmpty();
  }

  /** Writes all pairs, sorted by text. */
  void write(Path file) {
    pairs.sort(Comparator.comparing(Pair::text).thenComparing(Pair::label));
    var lines = new StringBuilder();
    pairs.forEach(pair -> lines.append(pair.label()).append('\t').append(pair.text()).append('\n'));
    AtomicFiles.writeString(file, lines.toString());
  }

  /** Passes each line of a file, plain or .gz, with its number, counted from 1. */
  static void forEachLine(Path file, ObjLongConsumer<String> sink) {
    try (var in = Files.newInputStream(file);
        var plain = file.toString().endsWith(".gz") ? new GZIPInputStream(in) : in;
        var reader = new BufferedReader(new InputStreamReader(plain, UTF_8))) {
      long number = 0;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        sink.accept(line, ++number);
      }
    } catch (IOException e) {
      throw new InvalidFileException(file, e);
    }
  }
}
