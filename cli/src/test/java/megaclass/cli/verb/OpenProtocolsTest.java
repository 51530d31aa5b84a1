// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hardwood.InputFile;
import dev.hardwood.reader.ParquetFileReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import megaclass.cli.Cli;
import megaclass.cli.ExitCode;
import megaclass.cli.text.Json;
import megaclass.data.Dataset;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code evaluate --protocol} and {@code embed}, on classes that the model does not know. */
class OpenProtocolsTest {
  @TempDir static Path folder;

  @BeforeAll
  static void train() {
    run("synth", "known.mcd", "--num-classes=50", "--dim=16", "--examples-per-class=5");
    run("synth", "new.mcd", "--num-classes=40", "--dim=16", "--examples-per-class=5", "--seed=7");
    run("train", "known.mcd", "--epochs=0.5", "--evaluate-times=0", "--test-share=0");
  }

  private static Cli run(String... args) {
    var run = Cli.run(folder, args);
    assertEquals(new Cli(ExitCode.DONE, run.out(), ""), run);
    return run;
  }

  private static Map<String, Object> last(Cli run) {
    return Json.parse(run.lines().getLast());
  }

  @Test
  void allProtocolsMeasureUnknownClassesAndLeaveAReport() throws IOException {
    var run =
        run(
            "evaluate",
            "runs/known",
            "new.mcd",
            "--protocol=verification,identification,few-shot,retrieval",
            "--bootstrap=50",
            "--episodes=20",
            "--out=found");
    assertTrue(
        run.out()
            .matches(
                "(?s)embedded  200 examples   40 classes   dim 16   in \\S+ s\n"
                    + "verify    EER \\S+ % \\[\\S+, \\S+\\]   AUC \\S+ % \\[.*\\]   400 same and"
                    + " 19 500 different pairs\n"
                    + "          TAR \\S+ % \\[\\S+, \\S+\\] at FAR 1e-01\n"
                    + ".*          TAR \\S+ % \\[\\S+, \\S+\\] at FAR 1e-04\n"
                    + "identify  rank-1 \\S+ % \\[.*\\] among 10 distractors   200 trials\n"
                    + "          rank-1 \\S+ % \\[.*\\] among 100 distractors\n"
                    + "          rank-1 \\S+ % \\[.*\\] among 200 distractors\n"
                    + "few-shot  20-way 1-shot \\S+ % \\[.*\\]   20 episodes\n"
                    + "retrieve  mAP@R \\S+ % \\[.*\\]   R-precision \\S+ % \\[.*\\]   200"
                    + " queries\n"
                    + "          recall@1 .*   recall@5 .*   recall@10 .*\n"
                    + "report    \\S+evaluation.html\n"),
        run.out());
    var json = Json.parse(Files.readString(folder.resolve("found/evaluation.json")));
    assertEquals(
        List.of("embedded", "verification", "identification", "fewShot", "retrieval"),
        json.keySet().stream().skip(3).toList());
    assertFalse(json.toString().contains("NaN"), json.toString());
    var html = Files.readString(folder.resolve("found/evaluation.html"));
    assertTrue(html.contains("Embeddings of new.mcd") && html.contains("id=\"roc\""));
    assertFalse(html.contains("{{"), "a place of the page is empty");
  }

  @Test
  void aReportShowsOnlyWhatWasAskedFor() throws IOException {
    run("evaluate", "runs/known", "new.mcd", "--protocol=retrieval", "--out=some");
    var html = Files.readString(folder.resolve("some/evaluation.html"));
    assertEquals(3, html.split("<section hidden>", -1).length - 1, "verification, identification");
    var text = html.replaceAll("(?s)<script>.*?</script>", "");
    assertFalse(text.contains("NaN"), text);
    assertTrue(text.contains("<td>mAP@R</td>"), text);
  }

  @Test
  void theSeedDecidesWhatIsDrawn() {
    String[] args = {
      "evaluate", "runs/known", "new.mcd", "--protocol=verification", "--pairs=200", "--log=json"
    };
    var one = last(run(args));
    assertEquals(one, last(run(args)));
    assertEquals(100, one.get("samePairs"));
    assertTrue(one.containsKey("accuracy"), one.toString());
    var withSeed = Arrays.copyOf(args, args.length + 1);
    withSeed[args.length] = "--seed=8";
    assertNotEquals(one.get("equalErrorRate"), last(run(withSeed)).get("equalErrorRate"));
  }

  @Test
  void listsNameExamplesByTheirNumbers() {
    Cli.write(folder.resolve("pairs.tsv"), "0\t40\t1\n1\t2\t0\n3\t43\t1\n5\t6\t0\n");
    var pairs =
        run(
            "evaluate",
            "runs/known",
            "new.mcd",
            "--protocol=verification",
            "--pairs=pairs.tsv",
            "--log=json");
    assertEquals(2, last(pairs).get("samePairs"));
    Cli.write(folder.resolve("probes.txt"), "0\n1\n");
    var all = new StringBuilder();
    for (int i = 0; i < 200; i++) {
      all.append(i).append('\n');
    }
    Cli.write(folder.resolve("gallery.txt"), all.toString());
    var found =
        run(
            "evaluate",
            "runs/known",
            "new.mcd",
            "--protocol=identification",
            "--distractors=50",
            "--probes=probes.txt",
            "--gallery=gallery.txt",
            "--log=json");
    assertEquals(8, last(found).get("trials"), "two probes with four mates each");
  }

  @Test
  void templatesStandForTheirExamples() {
    var lines = new StringBuilder();
    try (var data = Dataset.open(folder.resolve("new.mcd"))) {
      int[] seen = new int[40];
      for (int i = 0; i < 200; i++) {
        int c = data.target(i, 0);
        lines.append("%d/%d\t%d\t%d\n".formatted(c, seen[c]++ % 2, c, i));
      }
    }
    Cli.write(folder.resolve("templates.tsv"), lines.toString());
    var run =
        run(
            "evaluate",
            "runs/known",
            "new.mcd",
            "--protocol=verification",
            "--templates=templates.tsv",
            "--log=json",
            "--bootstrap=0");
    assertEquals(40, last(run).get("samePairs"));
    assertEquals(80 * 79 / 2 - 40, last(run).get("differentPairs"));
  }

  @Test
  void embeddingsAreWrittenWithTheirLabelsAndCanBeTrainedOn() throws IOException {
    var run = run("embed", "runs/known", "new.mcd", "new.npy");
    assertTrue(run.out().contains("written   "), run.out());
    var labels = Files.readAllLines(folder.resolve("new.labels.txt"));
    assertEquals(200, labels.size());
    assertEquals(40, labels.stream().distinct().count());
    var converted = run("convert", "new.npy", "new.labels.txt", "embedded.mcd");
    assertTrue(converted.out().contains("40 classes"), converted.out());
    try (var files = Files.list(folder)) {
      assertEquals(0, files.filter(f -> f.toString().endsWith(".part")).count());
    }
  }

  @Test
  void aParquetFileHoldsWhatTheArrayAndItsLabelsHold() throws IOException {
    run("embed", "runs/known", "new.mcd", "same.npy");
    run("convert", "same.npy", "same.labels.txt", "same.mcd");
    var run = run("embed", "runs/known", "new.mcd", "new.parquet");
    assertEquals("written   " + folder.resolve("new.parquet"), run.lines().getLast());
    try (var same = Dataset.open(folder.resolve("same.mcd"));
        var reader = ParquetFileReader.open(InputFile.of(folder.resolve("new.parquet")));
        var row = reader.rowReader()) {
      for (int i = 0; i < 200; i++) {
        row.next();
        assertEquals(String.valueOf(i), row.getString("example"));
        assertEquals(same.labels().label(same.target(i, 0)), row.getString("label"));
        var floats = row.getList("embedding").floats();
        assertEquals(Arrays.toString(same.features(i)), floats.toString());
      }
      assertFalse(row.hasNext());
    }
  }

  @Test
  void embedWritesNoOtherForms() {
    assertEquals(
        new Cli(
            ExitCode.WRONG_USAGE,
            "",
            "megaclass: embeddings are written to a .npy or a .parquet file, but the last word is"
                + " new.csv\n"),
        Cli.run(folder, "embed", "runs/known", "new.mcd", "new.csv"));
    assertFalse(Files.exists(folder.resolve("new.csv")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--protocol=verify|--protocol: must be closed-set, or some of"
            + " verification,identification,few-shot,retrieval, but was \"verify\"",
        "--pairs=all|--pairs belongs to --protocol verification; add that",
        "--ways=5|--ways belongs to --protocol few-shot; add that",
        "--out=x|--out belongs to the open protocols; add --protocol"
            + " verification,identification,few-shot,retrieval",
        "--protocol=retrieval --k=3|--k belongs to --protocol closed-set; leave it out",
        "--protocol=retrieval --recall=0.9|--recall belongs to --protocol closed-set; leave it out",
        "--protocol=identification --probes=x|--probes and --gallery go together; give both or"
            + " none",
        "--protocol=few-shot --ways=1|--ways: ways must be in [2, 1048576], but was 1",
      })
  void aFlagThatDoesNotFitIsNamed(String flags, String sentence) {
    var args = ("evaluate runs/known new.mcd " + flags).split(" ");
    assertEquals(
        new Cli(ExitCode.WRONG_USAGE, "", "megaclass: " + sentence + "\n"), Cli.run(folder, args));
  }

  @Test
  void embedSaysWhatItExpects() {
    assertEquals(
        new Cli(
            ExitCode.WRONG_USAGE,
            "",
            "megaclass: expected a model, data and the .npy or .parquet file to write, but got"
                + " runs/known new.mcd\n"),
        Cli.run(folder, "embed", "runs/known", "new.mcd"));
  }
}
