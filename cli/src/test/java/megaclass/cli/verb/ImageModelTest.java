// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import megaclass.cli.Cli;
import megaclass.cli.ExitCode;
import megaclass.cli.text.Json;
import megaclass.data.Dataset;
import megaclass.data.ImageShape;
import megaclass.formats.ImageDecoder;
import megaclass.formats.Resize;
import megaclass.model.Classifier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code predict} and {@code evaluate} with a model of a network, on images. */
class ImageModelTest {
  private static final int SIDE = 8;
  private static final int CLASSES = 4;
  private static final int EXAMPLES = 6;

  @TempDir static Path folder;

  /** Class c has its own two rows white; examples differ a little elsewhere. */
  @BeforeAll
  static void train() throws IOException {
    for (int i = 0; i < CLASSES * EXAMPLES; i++) {
      draw("photos/class %d/%d.png".formatted(i % CLASSES, i / CLASSES), i % CLASSES, i);
    }
    run("convert", "photos", "photos.mcd", "--image=1x8x8");
    run(
        "train",
        "photos.mcd",
        "--backbone=smallnet",
        "--dim=" + SIDE * SIDE,
        "--epochs=20",
        "--batch-size=8",
        "--evaluate-times=0",
        "--test-share=0");
  }

  private static void draw(String file, int classId, int variant) throws IOException {
    var image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
    for (int x = 0; x < SIDE; x++) {
      image.getRaster().setSample(x, 2 * classId, 0, 255);
      image.getRaster().setSample(x, 2 * classId + 1, 0, 255);
    }
    image.getRaster().setSample(variant % SIDE, variant / SIDE, 0, 99 + variant);
    var path = folder.resolve(file);
    Files.createDirectories(path.getParent());
    ImageIO.write(image, "png", path.toFile());
  }

  private static Cli run(String... args) {
    var run = Cli.run(folder, args);
    assertEquals(new Cli(ExitCode.DONE, run.out(), ""), run);
    return run;
  }

  @Test
  void filesAndFoldersArePredictedInTheOrderGiven() throws IOException {
    draw("new/b.png", 1, 50);
    draw("new/a/z.png", 3, 51);
    draw("one.png", 2, 52);
    var run = run("predict", "runs/photos", "one.png", "new", "--top=1", "--format=json");
    var answers = run.lines().stream().map(Json::parse).toList();
    assertEquals(
        List.of("one.png", "new/a/z.png", "new/b.png"),
        answers.stream().map(answer -> answer.get("input")).toList());
    assertTrue(run.lines().get(0).contains("class 2"), run.out());
    assertTrue(run.lines().get(1).contains("class 3"), run.out());
    assertTrue(run.lines().get(2).contains("class 1"), run.out());
    var lines = run("predict", "runs/photos", "one.png", "--top=2").lines();
    assertEquals(1, lines.size());
    assertTrue(lines.getFirst().matches("class 2\t\\S+\tclass \\d\t\\S+"), lines.getFirst());
  }

  @Test
  void anotherShapeIsBroughtToThatOfTheModel() throws IOException {
    var large = new BufferedImage(2 * SIDE, 4 * SIDE, BufferedImage.TYPE_INT_RGB);
    for (int x = 0; x < 2 * SIDE; x++) { // the uppermost quarter of what is not cut off
      for (int y = SIDE; y < SIDE + 4; y++) {
        large.setRGB(x, y, 0xFFFFFF);
      }
    }
    ImageIO.write(large, "png", folder.resolve("large.png").toFile());
    assertTrue(run("predict", "runs/photos", "large.png").out().startsWith("class 0\t"));
    assertFalse(
        run("predict", "runs/photos", "large.png", "--image-resize=pad", "--top=1")
            .out()
            .startsWith("class 0\t"));
  }

  @Test
  void whatCannotBeReadIsNamedOnceThoseBeforeItAreTold() throws IOException {
    draw("mixed/a.png", 1, 50);
    Files.writeString(folder.resolve("mixed/b.png"), "");
    draw("mixed/c.png", 1, 51);
    var run = Cli.run(folder, "predict", "runs/photos", "mixed", "--top=1");
    assertEquals(ExitCode.BAD_INPUT_FILE, run.exitCode());
    assertEquals(1, run.lines().size(), run.out());
    assertEquals("megaclass: mixed/b.png: is empty; repair it or leave it out\n", run.err());
    assertEquals(
        "megaclass: gone.png: no such file or folder\n",
        Cli.run(folder, "predict", "runs/photos", "gone.png").err());
    Files.createDirectories(folder.resolve("none"));
    assertEquals(
        "megaclass: none: has no images in it\n",
        Cli.run(folder, "predict", "runs/photos", "none").err());
    assertEquals(
        new Cli(
            ExitCode.WRONG_USAGE,
            "",
            "megaclass: the model takes images: name files or folders of them behind it\n"),
        Cli.run(folder, "predict", "runs/photos"));
  }

  @Test
  void anImageInMemoryIsPredictedAsItsFile() {
    try (var data = Dataset.open(folder.resolve("photos.mcd"));
        var model = Classifier.load(folder.resolve("runs/photos/model.mcm"))) {
      assertEquals(new ImageShape(1, SIDE, SIDE), model.imageShape());
      for (int i = 0; i < data.numExamples(); i++) {
        var best = model.predictImage(data.image(i), 1).getFirst();
        assertEquals(data.labels().label(data.target(i, 0)), best.label());
      }
    }
  }

  @Test
  void imagesOfAnotherShapeAreRefused() {
    var shape = new ImageShape(1, 4, 4);
    try (var small = Dataset.ofImages(shape, new byte[1][16], new String[] {"class 0"});
        var model = Classifier.load(folder.resolve("runs/photos/model.mcm"))) {
      var e = assertThrows(IllegalArgumentException.class, () -> model.embed(small));
      assertEquals(
          "the model takes images of 1x8x8, but those of data in memory have 1x4x4; convert them to"
              + " the same shape",
          e.getMessage());
    }
  }

  @Test
  void thePageShowsPairsAsPictures() throws Exception {
    run("evaluate", "runs/photos", "photos.mcd", "--protocol=verification", "--out=found");
    var html = Files.readString(folder.resolve("found/evaluation.html"));
    var picture =
        Pattern.compile(
            "<img src=\"data:image/png;base64,([^\"]+)\" width=\"96\" height=\"96\""
                + " alt=\"([^\"]+)\" title=\"([^\"]+)\">");
    var found = picture.matcher(html).results().toList();
    assertEquals(80, found.size(), "20 pairs of different classes and 20 of one");
    var decoder = new ImageDecoder(new ImageShape(1, SIDE, SIDE), Resize.CROP);
    for (var one : found) {
      assertArrayEquals(
          decoder.decode(Files.readAllBytes(folder.resolve("photos").resolve(one.group(2)))),
          decoder.decode(Base64.getDecoder().decode(one.group(1))),
          one.group(2));
    }
    var facts = Files.readString(folder.resolve("found/evaluation.json"));
    assertFalse(facts.contains("base64"), "numbers and names only");
  }
}
