// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SearchBenchTest {
  private static final Path RESULTS = Path.of("results", "search.json");
  private static final Path PAGE = Path.of("..", "docs", "selection.md");

  @TempDir Path folder;

  /** Few classes, so that the largest effort looks at nearly all of them. */
  @Test
  void everyIndexFindsMoreWhenItLooksFurtherAndThePageSaysSo() throws IOException {
    var out = new StringWriter();
    var err = new StringWriter();
    var shell = new Shell(new PrintWriter(out, true), new PrintWriter(err, true), folder);
    assertEquals(
        0,
        shell.run(
            "search", "--num-classes=2000", "--dim=16", "--warm-up=0", "--results=search.json"),
        err::toString);
    var result =
        ResultFile.value(Files.readString(folder.resolve("search.json")), SearchResult.class);
    assertEquals(22, result.runs().size());
    for (int i = 1; i < result.runs().size(); i++) {
      SearchRun before = result.runs().get(i - 1);
      SearchRun run = result.runs().get(i);
      assertTrue(
          !run.index().equals(before.index()) || run.recall() >= before.recall(),
          () -> before + " then " + run);
    }
    result.runs().stream()
        .filter(run -> run.effort().endsWith("512 candidates") || run.effort().startsWith("8192"))
        .forEach(run -> assertTrue(run.recall() > 0.9, run::toString));
    String page = SearchPage.update(PAGE, SearchPage.PART.begin() + SearchPage.PART.end(), result);
    assertTrue(page.contains("2 000 classes of dim 16 in families"), page);
  }

  @Test
  void theCommittedPageSaysWhatTheCommittedResultSays() throws IOException {
    if (Files.exists(RESULTS)) {
      var result = ResultFile.value(Files.readString(RESULTS), SearchResult.class);
      String page = Files.readString(PAGE);
      assertEquals(SearchPage.update(PAGE, page, result), page);
      assertEquals(
          SearchPage.image(result), Files.readString(PAGE.resolveSibling(SearchPage.IMAGE)));
    }
  }
}
