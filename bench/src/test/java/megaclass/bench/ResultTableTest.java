// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ResultTableTest {
  /** Tests run in the folder of their module. */
  private static final Path RESULTS = Path.of("results");

  private static final Path PAGE = Path.of("..", "docs", "benchmarks.md");

  @Test
  void aResultBecomesAPage() throws IOException {
    var result = ResultFile.value(resource("example.json"), BenchResult.class);
    assertEquals(resource("example.md"), ResultTable.of(result, "example"));
  }

  @Test
  void aResultReadsBackAsItWasWritten() throws IOException {
    var result = ResultFile.value(resource("example.json"), BenchResult.class);
    assertEquals(result, ResultFile.value(ResultFile.text(result), BenchResult.class));
  }

  @Test
  void everyCommittedPageSaysWhatItsResultSays() throws IOException {
    for (Path json : results()) {
      Path page = ResultFile.tableOf(json);
      assertTrue(Files.exists(page), () -> page + " is missing; megaclass bench table " + json);
      assertEquals(
          ResultTable.of(ResultFile.read(json), ResultFile.nameOf(json)),
          Files.readString(page),
          () -> "megaclass bench table " + json + " makes the page anew");
    }
  }

  @Test
  void everyCommittedResultIsWholeAndHasAPlaceInTheDocs() throws IOException {
    String docs = Files.readString(PAGE);
    for (Path json : results()) {
      BenchResult result = ResultFile.read(json);
      assertTrue(result.complete() && !result.quick(), () -> json + " is no whole result");
      String link = "(../bench/results/" + ResultFile.nameOf(json) + ".md)";
      assertTrue(docs.contains(link), () -> PAGE + " does not link to " + link);
    }
  }

  /** Those of the grid; what {@code bench search} wrote has a page of its own. */
  private static List<Path> results() throws IOException {
    Path searched = RESULTS.resolve(Path.of(SearchCommand.RESULTS).getFileName());
    try (var files = Files.list(RESULTS)) {
      return files
          .filter(file -> file.toString().endsWith(".json") && !file.equals(searched))
          .sorted()
          .toList();
    }
  }

  private static String resource(String name) throws IOException {
    try (var in = ResultTableTest.class.getResourceAsStream(name)) {
      return new String(Objects.requireNonNull(in).readAllBytes(), UTF_8);
    }
  }
}
