// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import megaclass.internal.InvalidFileException;

/**
 * Which place has this name? From a table of GeoNames (geonames.org, CC BY 4.0), such as {@code
 * cities500.txt}: columns between tabs, of which the first four are the id of a place, its name,
 * that in ASCII, and others between commas.
 */
final class PlaceNames {
  /** Of a place with fewer nothing can be held out and enough be left. */
  private static final int MIN_NAMES = 3;

  private PlaceNames() {}

  /** Writes {@code id<TAB>name} for the places with at least three names. */
  static void convert(Path table, Path into) {
    var pairs = new TextPairs();
    TextPairs.forEachLine(
        table,
        (line, number) -> {
          String[] columns = line.split("\t", -1);
          if (columns.length < 4) {
            throw new InvalidFileException(
                table,
                number,
                "expected id, name, name in ASCII and other names between tabs, but there are %d"
                        .formatted(columns.length)
                    + " columns");
          }
          var names = new LinkedHashSet<String>();
          Collections.addAll(names, columns[1].strip(), columns[2].strip());
          Collections.addAll(names, columns[3].strip().split("\\s*,\\s*"));
          names.remove("");
          if (names.size() >= MIN_NAMES) {
            names.forEach(name -> pairs.add(name, columns[0]));
          }
        });
    pairs.write(into);
  }
}
