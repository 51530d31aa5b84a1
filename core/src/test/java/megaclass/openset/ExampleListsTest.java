// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import megaclass.data.Dataset;
import megaclass.internal.InvalidFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExampleListsTest {
  private static final ExampleNames NAMES =
      ExampleNames.of(List.of("a", "b", "c", "Ann_Lee/Ann_Lee_0001.jpg", "Bo/Bo_0012.png"));

  @TempDir Path folder;

  private <T> T read(String text, Function<Path, T> reader) {
    try {
      return reader.apply(Files.writeString(folder.resolve("list.txt"), text));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<Pairs.Pair> list(Pairs.Listed pairs) {
    return java.util.stream.IntStream.range(0, pairs.size()).mapToObj(pairs::pair).toList();
  }

  @Test
  void pairsAreReadInOrderAndEmptyLinesSayNothing() {
    var pairs = read("b\ta\t1\n\r\n\nc\tb\t0", file -> ExampleLists.pairs(file, NAMES));
    assertEquals(List.of(new Pairs.Pair(1, 0, true), new Pairs.Pair(2, 1, false)), list(pairs));
  }

  @Test
  void pairsOfLfwAreReadAsTheyAre() {
    var names =
        ExampleNames.of(
            List.of("Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0003.jpg", "Bo/Bo_0012"));
    var pairs =
        read("10\t300\nAnn_Lee\t1\t3\nAnn_Lee\t3\tBo\t12\n", f -> ExampleLists.pairs(f, names));
    assertEquals(List.of(new Pairs.Pair(0, 1, true), new Pairs.Pair(1, 2, false)), list(pairs));
  }

  @Test
  void examplesWithoutNamesGoByTheirNumber() {
    try (var data = Dataset.of(new String[] {"x", "y", "z"}, new String[] {"p", "p", "q"})) {
      var names = ExampleNames.of(data);
      assertEquals("2", names.name(2));
      assertArrayEquals(new int[] {2, 0}, read("2\n0\n", file -> ExampleLists.items(file, names)));
      var e =
          assertThrows(
              InvalidFileException.class,
              () -> read("2\n3\n", file -> ExampleLists.items(file, names)));
      assertEquals(
          folder.resolve("list.txt")
              + ":2: nothing in the data is called \"3\"; the first there is called \"0\"",
          e.getMessage());
    }
  }

  @Test
  void templatesGatherTheirLinesByMedium() {
    var templates =
        read(
            "t1\tAnn\ta\tvideo\nt2\tBob\tc\nt1\tAnn\tb\tvideo\nt2\tBob\ta\nt1\tAnn\tc\tphoto\n",
            file -> ExampleLists.templates(file, NAMES));
    assertEquals(
        List.of(
            new Template("t1", "Ann", List.of(List.of(0, 1), List.of(2))),
            new Template("t2", "Bob", List.of(List.of(2), List.of(0)))),
        templates);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a b 1|1: expected NAME<TAB>NAME<TAB>1 for a pair of one class or 0 for one of two, but got"
            + " \"a b 1\"",
        "a;b;1#a;c;yes|2: expected NAME<TAB>NAME<TAB>1 for a pair of one class or 0 for one of two,"
            + " but got \"a<TAB>c<TAB>yes\"",
        "a;x;1|1: nothing in the data is called \"x\"; the first there is called \"a\"",
        "##a;a;1|3: pairs an example with itself; name two different ones",
        "10;300#Ann_Lee;1|2: expected PERSON<TAB>NUMBER<TAB>NUMBER or"
            + " PERSON<TAB>NUMBER<TAB>PERSON<TAB>NUMBER, as the first line is that of LFW's"
            + " pairs.txt, but got \"Ann_Lee<TAB>1\"",
        "10;300#Ann_Lee;1;two|2: expected the number of an image, but got \"two\"",
        "10#Ann_Lee;1;2|2: nothing in the data is called \"Ann_Lee/Ann_Lee_0002\"; the first there"
            + " is called \"a\"",
      })
  void aBadLineOfPairsIsNamed(String text, String sentence) {
    var e =
        assertThrows(
            InvalidFileException.class,
            () ->
                read(
                    text.replace(';', '\t').replace('#', '\n'),
                    file -> ExampleLists.pairs(file, NAMES)));
    assertEquals(folder.resolve("list.txt") + ":" + sentence, e.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "t1;Ann|1: expected TEMPLATE<TAB>SUBJECT<TAB>NAME, or these and <TAB>MEDIUM, but got"
            + " \"t1<TAB>Ann\"",
        "t1;Ann;a#t1;Bob;b|2: template t1 is of subject Bob here, but of Ann above; a template has"
            + " one subject",
      })
  void aBadLineOfTemplatesIsNamed(String text, String sentence) {
    var e =
        assertThrows(
            InvalidFileException.class,
            () ->
                read(
                    text.replace(';', '\t').replace('#', '\n'),
                    file -> ExampleLists.templates(file, NAMES)));
    assertEquals(folder.resolve("list.txt") + ":" + sentence, e.getMessage());
  }

  @Test
  void aProbeIsOneName() {
    var e =
        assertThrows(
            InvalidFileException.class,
            () -> read("a\tb\n", file -> ExampleLists.items(file, NAMES)));
    assertEquals(
        folder.resolve("list.txt") + ":1: expected one NAME a line, but got \"a<TAB>b\"",
        e.getMessage());
  }
}
