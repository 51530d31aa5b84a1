// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import megaclass.cli.Cli;
import megaclass.cli.ExitCode;
import megaclass.cli.run.Metrics;
import megaclass.cli.source.DictionaryJar;
import megaclass.cli.text.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainVerbTest {
  private static final String[] SMALL = {
    "--dim",
    "16",
    "--backbone",
    "bag(chars=1-3, buckets=1024, dropout=0)",
    "--epochs",
    "3",
    "--selector",
    "all",
    "--threads",
    "2",
    "--batch-size",
    "32",
    "--evaluate-times",
    "2"
  };

  @TempDir Path folder;

  @Test
  void aFileOfPairsIsConvertedTrainedAndEvaluated() throws IOException {
    Cli.writePairs(folder.resolve("pairs.tsv"), 30, 8);
    var run = train("pairs.tsv");
    assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    assertEquals("", run.err());
    var directory = folder.resolve("runs/pairs");
    for (var file : List.of("config.toml", "metrics.jsonl", "model.mcm", "report.html", "DONE")) {
      assertTrue(Files.exists(directory.resolve(file)), file);
    }
    assertFalse(Files.exists(directory.resolve("checkpoint")));
    assertTrue(Files.exists(folder.resolve("data/pairs-train.mcd")));
    assertTrue(run.out().contains("\nDONE\n"), run.out());

    var events = Metrics.read(directory.resolve("metrics.jsonl"));
    var kinds = events.stream().map(event -> event.get("event")).distinct().toList();
    assertEquals(
        List.of("started", "initialised", "evaluated", "progress", "finished", "saved", "tested"),
        kinds);
    assertTrue(events.getLast().get("top1") instanceof Double top1 && top1 > 0.9, run.out());
  }

  @Test
  void aSecondRunFindsTheDataConverted() {
    Cli.writePairs(folder.resolve("pairs.tsv"), 10, 6);
    assertTrue(train("pairs.tsv").out().startsWith("convert   pairs.tsv once, into "));
    assertTrue(train("pairs.tsv", "--force").out().startsWith("megaclass "));
    // Another split, or another file, is another conversion.
    assertTrue(train("pairs.tsv", "--force", "--test-share", "0.3").out().startsWith("convert "));
    Cli.writePairs(folder.resolve("pairs.tsv"), 10, 7);
    assertTrue(train("pairs.tsv", "--force", "--test-share", "0.3").out().startsWith("convert "));
  }

  @Test
  void aConfigurationIsReadAndItsResolvedFormRepeatsTheRunBitForBit() throws IOException {
    Cli.writePairs(folder.resolve("pairs.tsv"), 12, 6);
    Cli.write(
        folder.resolve("small.toml"),
        """
        seed = 3
        [data]
        source = "pairs.tsv"
        [backbone]
        spec = "bag(chars=1-3, buckets=512, dropout=0.1)"
        dim = 16
        [train]
        epochs = 2
        threads = 1
        """);
    assertEquals(ExitCode.DONE, Cli.run(folder, "train", "small.toml").exitCode());
    var again = Cli.run(folder, "train", "runs/small/config.toml", "--run-dir", "runs/again");
    assertEquals(ExitCode.DONE, again.exitCode(), again.err());
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("runs/small/model.mcm")),
        Files.readAllBytes(folder.resolve("runs/again/model.mcm")));
  }

  @Test
  void aLemmaDictionaryIsTakenFromTheJarThatWasFetched() throws IOException {
    var jar = folder.resolve("data/maven/words-1.jar");
    Files.createDirectories(jar.getParent());
    DictionaryJar.write(
        jar,
        "words.dict",
        List.of("cat;cat", "cats;cat", "dog;dog", "dogs;dog", "saw;saw", "saw;see"));
    var run = train("lemmas:some.group:words:1", "--test-share", "0");
    assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    assertTrue(run.out().contains("converted 5 examples, 4 classes in "), run.out());
    assertTrue(run.out().contains("\ntest      none: nothing is held out\n"), run.out());
  }

  @Test
  void denseRowsDecideTheDim() {
    assertEquals(
        ExitCode.DONE,
        Cli.run(folder, "synth", "p.mcd", "--num-classes", "20", "--dim", "12").exitCode());
    var run = Cli.run(folder, "train", "p.mcd", "--epochs", "1", "--selector", "all");
    assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    assertTrue(run.out().contains("\nbackbone  frozen   dim 12\n"), run.out());
  }

  @Test
  void aRunThatIsThereIsNotOverwritten() {
    Cli.writePairs(folder.resolve("pairs.tsv"), 10, 6);
    assertEquals(ExitCode.DONE, train("pairs.tsv").exitCode());
    assertEquals(
        new Cli(
            ExitCode.WRONG_USAGE,
            "",
            "megaclass: runs/pairs holds a run already; --resume continues it, --force replaces"
                + " it, --run-dir names another folder\n"),
        train("pairs.tsv"));
    assertEquals(
        new Cli(ExitCode.DONE, "runs/pairs is finished: there is nothing to resume\n", ""),
        train("pairs.tsv", "--resume"));
    assertEquals(
        new Cli(ExitCode.DONE, "runs/pairs is finished: there is nothing to resume\n", ""),
        Cli.run(folder, "train", "runs/pairs", "--resume"));
    assertEquals(ExitCode.DONE, train("pairs.tsv", "--force").exitCode());
  }

  @Test
  void aFolderOfSomethingElseIsLeftAlone() {
    Cli.writePairs(folder.resolve("pairs.tsv"), 10, 6);
    var run = train("pairs.tsv", "--run-dir", ".", "--force");
    assertEquals(
        new Cli(
            ExitCode.WRONG_USAGE,
            "",
            "megaclass: . is a folder of something else; --run-dir names another one for this"
                + " run\n"),
        run);
  }

  @Test
  void aDryRunWritesNoRun() {
    Cli.writePairs(folder.resolve("pairs.tsv"), 10, 6);
    var run = train("pairs.tsv", "--dry-run");
    assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    assertTrue(run.out().contains("\nmemory\n  class weights "), run.out());
    assertFalse(Files.exists(folder.resolve("runs")));
  }

  @Test
  void jsonLinesHoldTheSameMessages() {
    Cli.writePairs(folder.resolve("pairs.tsv"), 10, 6);
    var run = train("pairs.tsv", "--log", "json");
    var events = run.lines().stream().map(line -> Json.parse(line).get("event")).toList();
    assertTrue(
        events.containsAll(
            List.of("converting", "converted", "started", "progress", "tested", "done")),
        events.toString());
  }

  @Test
  void aQuietRunSaysNothing() {
    Cli.writePairs(folder.resolve("pairs.tsv"), 10, 6);
    assertEquals(new Cli(ExitCode.DONE, "", ""), train("pairs.tsv", "--quiet"));
  }

  @Test
  void aRunThatDoesNotFitIsRefusedWithSettingsThatDo() {
    Cli.writePairs(folder.resolve("pairs.tsv"), 10, 6);
    var run =
        Cli.run(
            folder,
            "train",
            "pairs.tsv",
            "--memory",
            "400m",
            "--dim",
            "128",
            "--backbone",
            "bag(buckets=1048576)");
    assertEquals(ExitCode.FAILED, run.exitCode());
    assertTrue(
        run.err()
            .matches(
                "megaclass: the run needs \\S+ MiB of memory, but 400 MiB are available; this fits:"
                    + " --backbone \"bag\\(chars=2-6, words=1, buckets=\\d+, dropout=0\\.4\\)\""
                    + " \\(\\S+ MiB\\)\\. --memory sets the limit\n"),
        run.err());
    assertFalse(Files.exists(folder.resolve("runs/pairs/model.mcm")));
  }

  @Test
  void dataIsNamedOnceAndNotTwice() {
    assertEquals(
        "megaclass: got no data; name a .mcd file to train on (--train), or a source to convert"
            + " (--source)\n",
        Cli.run(folder, "train").err());
    assertEquals(
        "megaclass: got both a training file (a.mcd) and a source (b.tsv) to convert; give one of"
            + " them\n",
        Cli.run(folder, "train", "a.mcd", "--source", "b.tsv").err());
    assertEquals(
        "megaclass: got a.mcd b.mcd; name one file, or rows and their labels\n",
        Cli.run(folder, "train", "a.mcd", "b.mcd").err());
  }

  @Test
  void twoConfigurationsAreOneTooMany() {
    Cli.write(folder.resolve("a.toml"), "seed = 1\n");
    var run = Cli.run(folder, "train", "a.toml", "b.toml");
    assertEquals(
        new Cli(
            ExitCode.WRONG_USAGE, "", "megaclass: got two configurations, the second is b.toml\n"),
        run);
  }

  @Test
  void aWrongValueInTheConfigurationIsABadInputFile() {
    Cli.write(folder.resolve("a.toml"), "[train]\nepochs = 0\n");
    assertEquals(
        new Cli(
            ExitCode.BAD_INPUT_FILE,
            "",
            "megaclass: a.toml:2: epochs must be a finite number above 0, but was 0.0\n"),
        Cli.run(folder, "train", "a.toml"));
    assertEquals(
        new Cli(
            ExitCode.WRONG_USAGE,
            "",
            "megaclass: --epochs: epochs must be a finite number above 0, but was 0.0\n"),
        Cli.run(folder, "train", "--epochs", "0"));
  }

  private Cli train(String... words) {
    var args = new ArrayList<>(List.of("train"));
    args.addAll(List.of(words));
    args.addAll(List.of(SMALL));
    return Cli.run(folder, "", Map.of(), args.toArray(String[]::new));
  }
}
