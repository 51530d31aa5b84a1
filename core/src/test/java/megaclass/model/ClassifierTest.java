// SPDX-License-Identifier: Apache-2.0
package megaclass.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import megaclass.TestBackend;
import megaclass.compute.RowFormat;
import megaclass.data.Dataset;
import megaclass.data.DatasetWriter;
import megaclass.internal.InvalidFileException;
import megaclass.internal.SectionFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A model on disk is the model that was saved, or an error that says what is wrong. */
class ClassifierTest {
  private static final String AGAIN = "; get or write the file anew";
  private static final float[] ROW = {1, -2, 3, 0.5f, 0};

  @TempDir Path folder;

  private Path saved(String loss, boolean velocity) {
    var file = folder.resolve("some.mcm");
    try (var model = HandMadeModel.dense(loss, velocity)) {
      model.save(file);
    }
    return file;
  }

  private static Classifier load(Path file) {
    return Classifier.load(file, 2, TestBackend.NAME);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "softmax | false",
        "softmax(bias=true) | false",
        "softmax(bias=true) | true",
        "arcface(scale=64, margin=0.5) | true"
      })
  void aLoadedModelPredictsWhatTheSavedOneDid(String loss, boolean velocity) {
    var file = saved(loss, velocity);
    try (var model = HandMadeModel.dense(loss, velocity);
        var loaded = load(file)) {
      var predictions = model.predict(ROW, 3);
      assertEquals(3, predictions.size());
      assertEquals(predictions, loaded.predict(ROW, 3));
      assertEquals(model.provenance(), loaded.provenance());
      assertEquals(
          List.copyOf(model.provenance().keySet()), List.copyOf(loaded.provenance().keySet()));
      assertEquals("żółw", loaded.label(1));
    }
  }

  @Test
  void aModelOf16BitNumbersPredictsTheSame() {
    var file = folder.resolve("half.mcm");
    try (var model = HandMadeModel.dense("arcface(scale=64, margin=0.5)", false, RowFormat.BF16);
        var full = HandMadeModel.dense("arcface(scale=64, margin=0.5)", false)) {
      model.save(file);
      assertEquals(full.predict(ROW, 3), model.predict(ROW, 3));
      try (var loaded = load(file)) {
        assertEquals(full.predict(ROW, 3), loaded.predict(ROW, 3));
      }
    }
  }

  @Test
  void aLoadedModelOfTextsPredictsWhatTheSavedOneDid() {
    var file = folder.resolve("text.mcm");
    try (var model = HandMadeModel.text()) {
      model.save(file);
      try (var loaded = load(file)) {
        for (var text : List.of("żółwie", "kota mam", "", "x")) {
          assertEquals(model.predict(text, 4), loaded.predict(text, 4));
        }
        assertTrue(!model.predict("żółwie", 4).equals(model.predict("kota mam", 4)));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void savingALoadedModelGivesTheSameBytes(boolean text) throws IOException {
    var first = folder.resolve("first.mcm");
    var second = folder.resolve("second.mcm");
    try (var model =
        text ? HandMadeModel.text() : HandMadeModel.dense("softmax(bias=true)", true)) {
      model.save(first);
    }
    try (var loaded = load(first)) {
      loaded.save(second);
      loaded.save(first); // over the file that is mapped
      assertEquals(4, loaded.numClasses());
    }
    assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
  }

  @Test
  void aTruncatedModelIsRefused() throws IOException {
    var file = saved("softmax", false);
    var good = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(good, good.length - 1));
    assertRefused(
        file, "is truncated: " + (good.length - 1) + " bytes, expected " + good.length + AGAIN);
  }

  @Test
  void aFlippedBitIsFoundInEverySection() throws IOException {
    var file = folder.resolve("text.mcm");
    try (var model = HandMadeModel.text()) {
      model.save(file);
    }
    var good = Files.readAllBytes(file);
    for (var section : sections(file)) {
      var damaged = good.clone();
      damaged[(int) (section.offset() + section.length() / 2)] ^= 4;
      Files.write(file, damaged);
      assertRefused(
          file,
          "is damaged: the checksum of section \"" + section.name() + "\" does not match" + AGAIN);
    }
  }

  private static List<SectionFile.SectionInfo> sections(Path file) {
    try (var arena = Arena.ofConfined()) {
      var sections = SectionFile.open(file, "MODL", 1, arena).sections();
      assertEquals(7, sections.size());
      return sections;
    }
  }

  @Test
  void filesThatAreNoModelAreRefused() throws IOException {
    var foreign = Files.writeString(folder.resolve("labels.txt"), "kot\nżółw\nmama\n");
    assertRefused(foreign, "is not a Megaclass file: it does not start with \"MEGACLAS\"");
    assertRefused(folder.resolve("missing.mcm"), "no such file or folder");
    var data = folder.resolve("some.mcd");
    try (var writer = DatasetWriter.text(data)) {
      writer.add("kota", "kot");
      writer.finish();
    }
    assertRefused(data, "is a data file, expected a model file");
    var newer = folder.resolve("newer.mcm");
    try (var writer = new SectionFile.Writer(newer, "MODL", 2)) {
      writer.finish();
    }
    assertRefused(
        newer,
        "is a model file of version 2, but this program reads versions up to 1; use a newer"
            + " program");
  }

  private static void assertRefused(Path file, String problem) {
    var e = assertThrows(InvalidFileException.class, () -> load(file).close());
    assertEquals(file + ": " + problem, e.getMessage());
  }

  @Test
  void featuresThatTheModelDoesNotTakeAreNamed() {
    try (var dense = HandMadeModel.dense("softmax", false);
        var text = HandMadeModel.text();
        var rows = Dataset.of(new float[][] {{1, 2, 3}}, new String[] {"kot"});
        var texts = Dataset.of(new String[] {"kota"}, new String[] {"kot"})) {
      var isText = "the model takes dense features, but data in memory holds text features";
      assertWrong(isText, () -> dense.evaluate(texts));
      assertWrong(isText, () -> dense.predict("kota", 1));
      assertWrong(
          "the model takes text features, but data in memory holds dense features",
          () -> text.evaluate(rows));
      var short3 = "the model takes rows of 5 features, but those of data in memory have 3";
      assertWrong(short3, () -> dense.evaluate(rows));
      assertWrong(short3, () -> dense.predict(new float[] {1, 2, 3}, 1));
    }
  }

  @Test
  void otherClassesThanTheModelsAreNamed() {
    var together = "; convert both data files together, so that they share their classes";
    try (var model = HandMadeModel.text();
        var fewer = Dataset.of(new String[] {"kota"}, new String[] {"kot"});
        var others =
            Dataset.of(new String[] {"a", "b", "c", "d"}, new String[] {"kot", "mama", "x", "y"})) {
      assertWrong(
          "the model has 4 classes, but data in memory has 1" + together,
          () -> model.evaluate(fewer));
      assertWrong(
          "class 1 is \"żółw\" in the model, but \"mama\" in data in memory" + together,
          () -> model.evaluate(others));
    }
  }

  @Test
  void askingForNoClassesIsAnError() {
    try (var model = HandMadeModel.dense("softmax", false)) {
      var before = model.predict(ROW, 3);
      assertWrong("k must be at least 1, but was 0", () -> model.predict(ROW, 0));
      assertEquals(before, model.predict(ROW, 3), "and the model still works");
      assertEquals(4, model.predict(ROW, 100).size());
    }
  }

  private static void assertWrong(String message, Executable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
  }
}
