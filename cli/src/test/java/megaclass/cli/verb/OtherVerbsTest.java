// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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

/** What is done with data and with models, on one text model and one of dense rows. */
class OtherVerbsTest {
  @TempDir static Path folder;

  @BeforeAll
  static void train() {
    Cli.writePairs(folder.resolve("pairs.tsv"), 20, 8);
    run(
        "train",
        "pairs.tsv",
        "--dim",
        "16",
        "--epochs",
        "3",
        "--selector",
        "all",
        "--backbone",
        "bag(chars=1-3, buckets=1024, dropout=0)",
        "--batch-size",
        "16");
    run("synth", "planted.mcd", "--test", "planted-test.mcd", "--num-classes", "30", "--dim", "8");
    run("train", "planted.mcd", "--test", "planted-test.mcd", "--epochs", "2", "--selector", "all");
  }

  @Test
  void aRunIsEvaluatedOnWhatItHeldOut() {
    var run = run("evaluate", "runs/pairs");
    assertTrue(run.out().matches("test      top-1 \\S+ %   top-5 \\S+ %   loss .*\n"), run.out());
  }

  @Test
  void aModelIsEvaluatedOnAnyDataOfItsClasses() {
    var onTest =
        Json.parse(
            run("evaluate", "runs/planted/model.mcm", "planted-test.mcd", "--log", "json").out());
    assertEquals(150, onTest.get("examples"));
    var onPairs =
        Json.parse(run("evaluate", "runs/pairs", "pairs.tsv", "--log", "json", "--k", "3").out());
    assertEquals(160, onPairs.get("examples"));
    assertEquals(3, onPairs.get("k"));
    assertTrue(onPairs.get("top1") instanceof Double top1 && top1 > 0.9, onPairs.toString());
    var sample =
        Json.parse(
            run("evaluate", "runs/pairs", "pairs.tsv", "--log", "json", "--examples", "50").out());
    assertEquals(50, sample.get("examples"));
    assertTrue(sample.containsKey("top1Uncertainty"));
  }

  @Test
  void evaluateNeedsAModelAndData() {
    assertEquals(
        "megaclass: expected a model to evaluate: a .mcm file or the folder of a run\n",
        Cli.run(folder, "evaluate").err());
    assertEquals(
        "megaclass: expected data to evaluate on behind the model runs/pairs/model.mcm\n",
        Cli.run(folder, "evaluate", "runs/pairs/model.mcm").err());
  }

  @Test
  void aTextALineIsPredictedInALine() {
    String input = text(3) + "\n" + text(7) + "\n\n";
    var run = Cli.run(folder, input, Map.of(), "predict", "runs/pairs", "--top", "2");
    assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    assertEquals(3, run.lines().size(), run.out());
    assertTrue(run.lines().get(0).matches("class 3\t0\\.\\d{4}\tclass \\d+\t-?\\d\\.\\d{4}"));
    assertTrue(run.lines().get(1).startsWith("class 7\t"), run.out());
  }

  @Test
  void predictionsAsJsonCarryTheirInput() throws IOException {
    Files.writeString(folder.resolve("words.txt"), text(5) + "\n");
    var run = run("predict", "runs/pairs", "words.txt", "--format", "json", "--top", "1");
    var json = Json.parse(run.out());
    assertEquals(text(5), json.get("input"));
    assertTrue(
        String.valueOf(json.get("predictions")).startsWith("[{label=class 5, score="), run.out());
  }

  @Test
  void aLineOfNumbersIsPredictedByAModelOfRows() {
    var run =
        Cli.run(folder, "1 0 0,0 0;0 0 0.5\n", Map.of(), "predict", "runs/planted", "--top", "1");
    assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    assertTrue(run.out().matches("class-\\d+\t\\S+\n"), run.out());
    assertEquals(
        "megaclass: standard input:2: has 2 numbers, but the model takes 8 features an example\n",
        Cli.run(folder, "1 0 0 0 0 0 0 0\n1 2\n", Map.of(), "predict", "runs/planted").err());
    assertEquals(
        "megaclass: standard input:1: \"x\" is no number; give the features of an example\n",
        Cli.run(folder, "x\n", Map.of(), "predict", "runs/planted").err());
  }

  @Test
  void rowsOfNumpyArePredictedAsTheSameRowsInLines() throws IOException {
    int numRows = 300; // more than one batch
    var values = new float[numRows * 8];
    var lines = new StringBuilder();
    for (int i = 0; i < values.length; i++) {
      values[i] = i * 31 % 64 - 31.5f;
      lines.append(values[i]).append(i % 8 < 7 ? " " : "\n");
    }
    writeRows("rows.npy", 8, values);
    var ofFile = run("predict", "runs/planted", "rows.npy", "--top", "2");
    var ofLines =
        Cli.run(folder, lines.toString(), Map.of(), "predict", "runs/planted", "--top", "2");
    assertEquals(numRows, ofFile.lines().size());
    assertEquals(ofLines.out(), ofFile.out());
    var last = run("predict", "runs/planted", "rows.npy", "--format", "json").lines().getLast();
    assertEquals("299", Json.parse(last).get("input"));
  }

  @Test
  void rowsThatDoNotFitTheModelAreRefused() throws IOException {
    writeRows("narrow.npy", 3, 1, 2, 3, 4, 5, 6);
    var file = folder.resolve("narrow.npy");
    assertEquals(
        "megaclass: "
            + file
            + ": has rows of 3 numbers, but the model takes 8 features an example\n",
        Cli.run(folder, "predict", "runs/planted", "narrow.npy").err());
    assertEquals(
        "megaclass: " + file + ": holds rows of numbers, but the model takes text\n",
        Cli.run(folder, "predict", "runs/pairs", "narrow.npy").err());
  }

  /** A float32 file, row by row. */
  private static void writeRows(String name, int columns, float... values) throws IOException {
    String header =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }"
            .formatted(values.length / columns, columns);
    var bytes = new byte[10 + header.length() + 4 * values.length];
    var npy = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    npy.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0})
        .putShort((short) header.length())
        .put(header.getBytes(StandardCharsets.US_ASCII));
    npy.asFloatBuffer().put(values);
    Files.write(folder.resolve(name), bytes);
  }

  @Test
  void convertedDataIsPredictedExampleByExample() {
    var run = run("predict", "runs/planted", "planted-test.mcd", "--top", "1");
    assertEquals(150, run.lines().size());
  }

  @Test
  void predictSaysWhatItNeeds() {
    assertEquals(
        "megaclass: expected a model and a file of examples (or examples on standard input), but"
            + " got nothing\n",
        Cli.run(folder, "predict").err());
    assertEquals(
        "megaclass: --format: must be tsv or json, but was \"xml\"\n",
        Cli.run(folder, "predict", "runs/pairs", "--format", "xml").err());
    var missing = Cli.run(folder, "predict", "runs/pairs", "none.txt");
    assertEquals(ExitCode.BAD_INPUT_FILE, missing.exitCode());
    assertEquals("megaclass: none.txt: no such file or folder\n", missing.err());
  }

  @Test
  void everyFileOfOursIsInspected() {
    var data = run("inspect", "planted.mcd");
    assertTrue(data.out().contains("planted.mcd   data file, version 1   "), data.out());
    assertTrue(data.out().contains("all checksums match\n"), data.out());
    assertTrue(data.out().contains("labels                           30: class-0, "), data.out());
    var model = Json.parse(run("inspect", "runs/pairs/model.mcm", "--log", "json").out());
    assertEquals("model", model.get("kind"));
    assertEquals(20, model.get("classes"));
    assertTrue(run("inspect", "runs/planted").out().contains("model.mcm   model file"));
  }

  @Test
  void aFileThatIsNotOursIsNamed() {
    var run = Cli.run(folder, "inspect", "pairs.tsv");
    assertEquals(ExitCode.BAD_INPUT_FILE, run.exitCode());
    assertEquals(
        "megaclass: "
            + folder.resolve("pairs.tsv")
            + ": is not a Megaclass file: it does not start with \"MEGACLAS\"\n",
        run.err());
  }

  @Test
  void aFolderWithoutFilesOfOursIsNamed() throws IOException {
    Files.createDirectories(folder.resolve("empty"));
    assertEquals(
        "megaclass: empty: has no .mcd, .mcm or .mck file in it\n",
        Cli.run(folder, "inspect", "empty").err());
    assertEquals(
        "megaclass: expected a file or folder to inspect, but got nothing\n",
        Cli.run(folder, "inspect").err());
  }

  @Test
  void aTestFileKeepsTheClassesOfItsTrainingFile() {
    run("convert", "pairs.tsv", "a.mcd");
    Cli.write(folder.resolve("more.tsv"), "class 7\tnew\nclass 3\tother\n");
    run("convert", "more.tsv", "b.mcd", "--classes-of", "a.mcd");
    try (var a = Dataset.open(folder.resolve("a.mcd"));
        var b = Dataset.open(folder.resolve("b.mcd"))) {
      assertEquals(a.numClasses(), b.numClasses());
      assertEquals("class 7", a.labels().label(b.target(0, 0)));
    }
  }

  @Test
  void convertHoldsExamplesOut() {
    var run = run("convert", "pairs.tsv", "c.mcd", "--test", "d.mcd", "--test-share", "0.25");
    assertTrue(run.out().contains(" to test on, 20 classes in "), run.out());
    try (var train = Dataset.open(folder.resolve("c.mcd"));
        var test = Dataset.open(folder.resolve("d.mcd"))) {
      assertEquals(160, train.numExamples() + test.numExamples());
      assertFalse(test.numExamples() == 0);
    }
  }

  @Test
  void convertSaysWhatItNeeds() {
    assertEquals(
        "megaclass: expected a source and the .mcd file to write, but got pairs.tsv\n",
        Cli.run(folder, "convert", "pairs.tsv").err());
    assertEquals(
        "megaclass: --classes-of and --test exclude each other; give one of them\n",
        Cli.run(folder, "convert", "pairs.tsv", "e.mcd", "--classes-of", "a", "--test", "b").err());
  }

  @Test
  void planShowsBytesByTermWithoutData() {
    var run = run("plan", "--num-classes", "1000000", "--dim", "512", "--memory", "16g");
    assertTrue(run.out().contains("\n  class weights                     1.9 GiB\n"), run.out());
    assertTrue(run.out().contains("\n  there is                           16 GiB\n"), run.out());
    assertFalse(Files.exists(folder.resolve("runs/run")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "3g | --dtype bf16 (2.",
        "2g | --weights-memory 1",
        "1g | --weights-memory 7",
        "190m | nothing"
      })
  void planRefusesWhatDoesNotFit(String memory, String fitting) {
    var run =
        Cli.run(
            folder,
            "plan",
            "--num-classes=1000000",
            "--dim=512",
            "--memory=" + memory,
            "--optimizer=sgd(momentum=0.9)");
    assertEquals(ExitCode.FAILED, run.exitCode());
    String expected =
        fitting.equals("nothing")
            ? "; neither class weights on disk nor a smaller dim, table or optimizer state makes it"
                + " fit."
            : "; this fits: " + fitting;
    assertTrue(run.err().contains(expected), run.err());
  }

  @Test
  void aPlanTellsWhatLiesOnDisk() {
    var run = run("plan", "--num-classes=1000000", "--dim=128", "--weights-memory=100m");
    assertTrue(run.out().contains("\n  class weights in use"), run.out());
    assertTrue(run.out().contains("\n  class weights on disk           488.3 MiB\n"), run.out());
    assertTrue(run.out().contains("\n  model file                      526.4 MiB\n"), run.out());
  }

  @Test
  void planOfDataIsThatOfTheRun() {
    var run = run("plan", "planted.mcd", "--batch-size", "100");
    assertTrue(run.out().contains("\ndata      planted.mcd"), run.out());
    assertTrue(run.out().contains("\nplan      3 epochs x 6 steps of 100\n"), run.out());
  }

  @Test
  void synthChecksItsFlags() {
    assertEquals(
        new Cli(
            ExitCode.WRONG_USAGE,
            "",
            "megaclass: --num-classes: numClasses must be in [2, 2147483639], but was 1\n"),
        Cli.run(folder, "synth", "x.mcd", "--num-classes", "1"));
    assertEquals(
        "megaclass: expected the .mcd file to write, but got nothing\n",
        Cli.run(folder, "synth").err());
  }

  private static String text(int classId) {
    return Integer.toString(1000 + classId * 37, 36).repeat(2) + "2";
  }

  private static Cli run(String... args) {
    var run = Cli.run(folder, args);
    assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    return run;
  }
}
