// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import megaclass.cli.Cli;
import megaclass.cli.ExitCode;
import megaclass.data.Dataset;
import megaclass.data.ImageShape;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConvertImagesTest {
  @TempDir Path folder;

  @BeforeEach
  void draw() throws IOException {
    for (int i = 0; i < 30; i++) {
      var image = new BufferedImage(12, 12, BufferedImage.TYPE_BYTE_GRAY);
      image.getRaster().setSample(i % 12, 6, 0, 200);
      var file = folder.resolve("photos/class %d/%02d.png".formatted(i % 3, i));
      Files.createDirectories(file.getParent());
      ImageIO.write(image, "png", file.toFile());
    }
  }

  @Test
  void aFolderIsConvertedAndInspected() {
    var run = Cli.run(folder, "convert", "photos", "a.mcd", "--image", "1x12x12");
    assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    assertTrue(run.out().contains("converted 30 examples, 3 classes"), run.out());
    try (var data = Dataset.open(folder.resolve("a.mcd"))) {
      assertEquals(new ImageShape(1, 12, 12), data.imageShape());
      assertEquals("class 0/00.png", data.name(0));
      assertEquals("photos as 1x12x12 (crop)", data.source());
    }
    var inspected = Cli.run(folder, "inspect", "a.mcd").out();
    assertTrue(inspected.matches("(?s).*image +1x12x12\n.*"), inspected);
    assertTrue(inspected.contains("pixels"), inspected);
  }

  @Test
  void whatIsLeftOutIsNamed() throws IOException {
    Files.writeString(folder.resolve("photos/class 1/broken.jpg"), "");
    var run = Cli.run(folder, "convert", "photos", "a.mcd", "--image", "1x12x12");
    assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    var expected =
        """
        left out  1 images that cannot be used (--bad-images skip):
                  class 1/broken.jpg is empty
        """;
    assertTrue(run.out().contains(expected), run.out());
    var refused =
        Cli.run(
            folder, "convert", "photos", "b.mcd", "--image", "1x12x12", "--bad-images", "refuse");
    assertEquals(ExitCode.BAD_INPUT_FILE, refused.exitCode());
    assertTrue(refused.err().contains("class 1/broken.jpg is empty; repair"), refused.err());
  }

  @Test
  void aVerificationSetGetsItsPairs() throws IOException {
    // A pickle of protocol 2, as Python 2 wrote it: two strings in a list, True in another.
    var image = Files.readAllBytes(folder.resolve("photos/class 0/00.png"));
    var pickle = new ByteArrayOutputStream();
    pickle.write(new byte[] {(byte) 0x80, 2, ']', '('});
    for (int i = 0; i < 2; i++) {
      var length = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(image.length);
      pickle.write('T');
      pickle.write(length.array());
      pickle.write(image);
    }
    pickle.write(new byte[] {'e', ']', (byte) 0x88, 'a', (byte) 0x86, '.'});
    Files.write(folder.resolve("lfw.bin"), pickle.toByteArray());

    var run = Cli.run(folder, "convert", "lfw.bin", "lfw.mcd");
    assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    assertEquals("pairs     lfw.pairs.tsv   1 pairs\n", run.err());
    assertEquals("0\t1\t1\n", Files.readString(folder.resolve("lfw.pairs.tsv")));
    try (var data = Dataset.open(folder.resolve("lfw.mcd"))) {
      assertEquals(new ImageShape(3, 112, 112), data.imageShape());
    }
  }

  @Test
  void aFolderWithoutAShapeIsAnsweredWithTheChoices() {
    var run = Cli.run(folder, "convert", "photos", "a.mcd");
    assertTrue(run.err().contains("FOLDER --image CxHxW"), run.err());
    var wrong = Cli.run(folder, "convert", "photos", "a.mcd", "--image", "28x28");
    assertTrue(wrong.err().contains("CHANNELSxHEIGHTxWIDTH"), wrong.err());
  }

  @Test
  void aListIsTheSourceOfARunAndIsConvertedOnce() throws IOException {
    Files.writeString(folder.resolve("photos.lst"), "photos/class 0/00.png\ta\n");
    String[] plan = {
      "plan",
      "--source",
      "photos.lst",
      "--image",
      "1x12x12",
      "--test-share",
      "0",
      "--backbone",
      "frozen"
    };
    assertTrue(Cli.run(folder, plan).out().contains("converted 1 examples"));
    var again = Cli.run(folder, plan);
    assertTrue(!again.out().contains("converted"), again.out());
    plan[4] = "1x6x6";
    assertTrue(Cli.run(folder, plan).out().contains("converted 1 examples"));
  }
}
