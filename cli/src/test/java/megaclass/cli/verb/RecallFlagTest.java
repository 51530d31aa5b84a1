// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import megaclass.cli.Cli;
import megaclass.cli.ExitCode;
import megaclass.cli.text.Json;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code --recall} of evaluate and predict, on a model of enough classes for an index. */
class RecallFlagTest {
  private static final String INDEXED =
      "search    through an index: \\d+ of 141 lists, 9\\d\\.\\d\\d % of the 5 best of 512 samples"
          + " found, built in \\S+ s\n";

  @TempDir static Path folder;

  @BeforeAll
  static void train() {
    run(
        "synth",
        "many.mcd",
        "--test",
        "many-test.mcd",
        "--num-classes=5000",
        "--dim=16",
        "--examples-per-class=2",
        "--noise=0.3");
    run("train", "many.mcd", "--test=many-test.mcd", "--epochs=0.1", "--evaluate-times=0");
  }

  @Test
  void evaluateTellsHowItSearchedAndNoLoss() {
    var exact = Json.parse(run("evaluate", "runs/many", "--log=json").out());
    var text = run("evaluate", "runs/many", "--recall=0.95").out();
    assertTrue(
        text.matches(INDEXED + "test      top-1 \\S+ %   top-5 \\S+ %   loss -   .*\n"), text);
    var lines = run("evaluate", "runs/many", "--recall=0.95", "--log=json").lines();
    var search = Json.parse(lines.getFirst());
    assertEquals("searched", search.get("event"));
    assertTrue(search.get("recall") instanceof Double recall && recall >= 0.95, lines.getFirst());
    var found = Json.parse(lines.getLast());
    assertFalse(found.containsKey("meanLoss"), lines.getLast());
    assertEquals(exact.get("examples"), found.get("examples"));
    assertEquals(number(exact, "top1"), number(found, "top1"), 0.02);
    assertEquals(number(exact, "topK"), number(found, "topK"), 0.05);
  }

  @Test
  void predictFindsTheSameBestClassesAndNoProbability() {
    var exact = run("predict", "runs/many", "many-test.mcd", "--top=5");
    var found = run("predict", "runs/many", "many-test.mcd", "--top=5", "--recall=0.95");
    assertTrue(found.err().matches(INDEXED), found.err());
    var before = exact.lines();
    var after = found.lines();
    assertEquals(before.size(), after.size());
    int same = 0;
    for (int i = 0; i < before.size(); i++) {
      same += before.get(i).equals(after.get(i)) ? 1 : 0;
    }
    assertTrue(same > 0.8 * before.size(), same + " of " + before.size());
    var json = run("predict", "runs/many", "many-test.mcd", "--format=json", "--recall=0.95").out();
    assertTrue(json.contains("\"score\"") && !json.contains("probability"), json.substring(0, 99));
  }

  @Test
  void linesAreAnsweredAsTheyAreThroughOneIndexForAll() {
    var input = new StringBuilder();
    for (int line = 0; line < 3000; line++) {
      for (int j = 0; j < 16; j++) {
        input.append(Math.sin(line * 16 + j)).append(j < 15 ? " " : "\n");
      }
    }
    var run =
        Cli.run(
            folder, input.toString(), Map.of(), "predict", "runs/many", "--top=5", "--recall=0.9");
    assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    assertEquals(3000, run.lines().size());
    assertTrue(run.err().matches(INDEXED), run.err());
  }

  @Test
  void fewExamplesAreScoredWithAllClasses() {
    var few = run("evaluate", "runs/many", "--recall=0.95", "--examples=100").out();
    assertTrue(
        few.startsWith(
            "search    all classes are scored: measuring what an index finds takes 512 examples,"
                + " and there are fewer\ntest      top-1 "),
        few);
    assertTrue(few.matches("(?s).*   loss \\d.*"), few);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "99 | recall must be in (0, 1], but was 99.0; give the share of the best classes that an"
            + " index has to find, such as 0.99",
        "0 | recall must be in (0, 1], but was 0.0; give the share of the best classes that an"
            + " index has to find, such as 0.99",
        "most | must be off or a share in (0, 1] such as 0.99, but was \"most\""
      })
  void aShareThatIsNoneIsRefused(String share, String complaint) {
    for (String verb : new String[] {"evaluate", "predict"}) {
      var run = Cli.run(folder, verb, "runs/many", "--recall=" + share);
      assertEquals(
          new Cli(ExitCode.WRONG_USAGE, "", "megaclass: --recall: " + complaint + "\n"), run);
    }
  }

  private static double number(Map<String, Object> fields, String name) {
    return fields.get(name) instanceof Number number ? number.doubleValue() : Double.NaN;
  }

  private static Cli run(String... args) {
    var run = Cli.run(folder, args);
    assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    return run;
  }
}
