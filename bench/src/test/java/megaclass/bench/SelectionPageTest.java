// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import megaclass.internal.InvalidFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SelectionPageTest {
  /** Tests run in the folder of their module. */
  private static final Path RESULTS = Path.of("results", "selection.jsonl");

  private static final Path PAGE = Path.of("..", "docs", "selection.md");
  private static final String AGAIN = "megaclass bench selection table writes it anew";

  @TempDir Path folder;

  @Test
  void resultsBecomeTablesVerdictsAndAPicture() throws IOException {
    Files.writeString(folder.resolve("all.jsonl"), resource("selection-example.jsonl"));
    Path page = folder.resolve("page.md");
    Files.writeString(
        page,
        "# Above\n\n"
            + SelectionPage.PART.begin()
            + "\nold\n"
            + SelectionPage.PART.end()
            + "\nbelow\n");
    var out = new StringWriter();
    var err = new StringWriter();
    var shell = new Shell(new PrintWriter(out, true), new PrintWriter(err, true), folder);
    assertEquals(
        0, shell.run("selection", "table", "--results=all.jsonl", "--into=page.md"), err::toString);
    assertEquals(resource("selection-example.md"), Files.readString(page));
    assertEquals(
        resource("selection-example.svg"),
        Files.readString(folder.resolve("images/selection-planted-100k.svg")));
    assertEquals("wrote page.md\nwrote images/selection-planted-100k.svg\n", out.toString());
  }

  @Test
  void theCommittedPageSaysWhatTheCommittedResultsSay() throws IOException {
    var runs = SelectionResults.read(RESULTS);
    String page = Files.readString(PAGE);
    assertEquals(SelectionPage.update(PAGE, page, runs), page, AGAIN);
    for (Map.Entry<String, String> image : SelectionPage.images(runs).entrySet()) {
      Path file = PAGE.resolveSibling(image.getKey());
      assertTrue(Files.exists(file), () -> file + " is missing; " + AGAIN);
      assertEquals(image.getValue(), Files.readString(file), AGAIN);
    }
  }

  @Test
  void aPageWithoutTheMarksIsRefused() {
    Path page = Path.of("page.md");
    var e =
        assertThrows(
            InvalidFileException.class,
            () -> SelectionPage.update(page, SelectionPage.PART.end(), List.of()));
    assertEquals(
        "page.md: expected the lines\n"
            + SelectionPage.PART.begin()
            + "\n"
            + SelectionPage.PART.end(),
        e.getMessage());
  }

  private static String resource(String name) throws IOException {
    try (var in = SelectionPageTest.class.getResourceAsStream(name)) {
      return new String(Objects.requireNonNull(in, name).readAllBytes(), UTF_8);
    }
  }
}
