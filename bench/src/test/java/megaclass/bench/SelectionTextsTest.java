// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import megaclass.internal.InvalidFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Converters of texts that the comparison of selectors is made on. */
class SelectionTextsTest {
  @TempDir Path folder;

  @Test
  void placesOfOneNameFollowEachOtherAndThoseOfFewNamesAreLeftOut() throws IOException {
    Path table = folder.resolve("places.txt");
    Files.writeString(
        table,
        """
        7\tŁódź\tLodz\tLodsch, Łódź ,Lodz\t51.7\t19.4
        8\tRome\tRome\tRoma,Rim\t41.9\t12.5
        9\tRoma\tRoma\tRome,Rim,\t-26.6\t148.8
        10\tOslo\tOslo\tKristiania\t59.9\t10.7
        """);
    Path names = folder.resolve("names.tsv");
    PlaceNames.convert(table, names);
    assertEquals(
        """
        7\tLodsch
        7\tLodz
        8\tRim
        9\tRim
        8\tRoma
        9\tRoma
        8\tRome
        9\tRome
        7\tŁódź
        """,
        Files.readString(names));
  }

  @Test
  void aLineThatIsNoPlaceIsNamed() throws IOException {
    Path table = folder.resolve("places.txt");
    Files.writeString(table, "7\tŁódź\tLodz\t\n8 Rome\n");
    var e =
        assertThrows(
            InvalidFileException.class, () -> PlaceNames.convert(table, folder.resolve("x")));
    assertEquals(
        table
            + ":2: expected id, name, name in ASCII and other names between tabs, but there"
            + " are 1 columns",
        e.getMessage());
  }

  @Test
  void oneTranslationIsHeldOutAndTheListOfVersesIsNone() throws IOException {
    Files.writeString(folder.resolve("verses.tsv"), "0\tGenesis 1:1\n");
    Files.writeString(folder.resolve("KJV.tsv"), "0\tIn the beginning\n1\tAnd the earth\n2\t\n");
    Files.writeString(folder.resolve("SOURCE.md"), "from there");
    try (var out = new GZIPOutputStream(Files.newOutputStream(folder.resolve("YLT.tsv.gz")))) {
      out.write("0\tIn the beginning of God's preparing\n".getBytes(UTF_8));
    }
    Path train = folder.resolve("train.txt");
    Path test = folder.resolve("test.txt");
    BibleVerses.convert(folder, train, test);
    assertEquals("1\tAnd the earth\n0\tIn the beginning\n", Files.readString(train));
    assertEquals("0\tIn the beginning of God's preparing\n", Files.readString(test));
  }

  @Test
  void aFolderWithoutTheTranslationToTestOnIsRefused() throws IOException {
    Files.writeString(folder.resolve("KJV.tsv"), "0\tIn the beginning\n");
    var e =
        assertThrows(
            InvalidFileException.class,
            () -> BibleVerses.convert(folder, folder.resolve("a"), folder.resolve("b")));
    assertEquals(folder + ": expected YLT.tsv.gz and other translations in it", e.getMessage());
  }

  @Test
  void aLineWithoutAVerseIsNamed() throws IOException {
    Path file = folder.resolve("KJV.tsv");
    Files.writeString(file, "0\tIn the beginning\nAnd the earth\n");
    var e =
        assertThrows(
            InvalidFileException.class,
            () -> BibleVerses.convert(folder, folder.resolve("a"), folder.resolve("b")));
    assertEquals(file + ":2: expected VERSE<TAB>TEXT", e.getMessage());
  }
}
