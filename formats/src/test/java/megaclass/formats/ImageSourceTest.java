// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static megaclass.formats.Pictures.all;
import static megaclass.formats.Pictures.png;
import static megaclass.formats.Pictures.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.awt.Color;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import megaclass.data.Conversion;
import megaclass.data.Dataset;
import megaclass.data.FeatureKind;
import megaclass.data.ImageShape;
import megaclass.formats.Pictures.Taken;
import megaclass.internal.InvalidFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageSourceTest {
  private static final ImageShape DOT = new ImageShape(3, 1, 1);

  @TempDir Path folder;

  @Test
  void aFolderGivesItsImagesInTheOrderOfTheirNames() {
    write(folder.resolve("b/2.png"), png(Color.RED));
    write(folder.resolve("b/deep/er/1.PNG"), png(Color.GREEN));
    write(folder.resolve("a/9.png"), png(Color.BLUE));
    write(folder.resolve("a/notes.txt"), new byte[] {1});
    write(folder.resolve("a/.hidden.png"), new byte[] {1});
    write(folder.resolve("empty/.keep"), new byte[0]);
    var source = source(new ImageFolder(folder, 1), BadImages.REFUSE);
    assertEquals(
        List.of(
            new Taken("a/9.png", "a", List.of(0, 0, 255)),
            new Taken("b/2.png", "b", List.of(255, 0, 0)),
            new Taken("b/deep/er/1.PNG", "b", List.of(0, 255, 0))),
        all(source));
    assertEquals(FeatureKind.IMAGE, source.kind());
    assertEquals(0, source.featureDim());
    assertEquals(folder.getFileName() + " as 3x1x1 (crop)", source.description());
  }

  @Test
  void aClassMayBeNamedBySeveralFolders() {
    write(folder.resolve("Greek/alpha/1.png"), png(Color.RED));
    write(folder.resolve("Greek/beta/1.png"), png(Color.RED));
    var labels = all(source(new ImageFolder(folder, 2), BadImages.REFUSE)).stream();
    assertEquals(List.of("Greek/alpha", "Greek/beta"), labels.map(Taken::label).toList());
  }

  @Test
  void anImageOutsideTheFolderOfAClassIsRefused() {
    var file = write(folder.resolve("a/1.png"), png(Color.RED));
    assertEquals(
        file
            + ": lies 1 folders below "
            + folder
            + ", but classes are named by 2; put it into the folder of its class, or change"
            + " --class-depth",
        error(new ImageFolder(folder, 2), BadImages.SKIP));
  }

  @Test
  void manyImagesKeepTheirOrder() {
    for (int i = 0; i < 300; i++) {
      write(
          folder.resolve("class %d/%03d.png".formatted(i / 100, i)), png(new Color(i % 256, 0, 0)));
    }
    var reds =
        all(source(new ImageFolder(folder, 1), BadImages.REFUSE)).stream()
            .map(taken -> taken.pixels().getFirst())
            .toList();
    assertEquals(IntStream.range(0, 300).mapToObj(i -> i % 256).toList(), reds);
  }

  @Test
  void aListNamesImagesAndTheirClasses() {
    write(folder.resolve("images/1.png"), png(Color.RED));
    write(folder.resolve("images/2.png"), png(Color.BLUE));
    var list =
        write(
            folder.resolve("train.lst"),
            "images/2.png\tblue one\n\nimages/1.png\tred\n".getBytes(US_ASCII));
    assertEquals(
        List.of(
            new Taken("images/2.png", "blue one", List.of(0, 0, 255)),
            new Taken("images/1.png", "red", List.of(255, 0, 0))),
        all(source(new ImageList(list), BadImages.REFUSE)));
  }

  @Test
  void aLineThatIsNoPathAndLabelIsNamed() {
    for (var line : List.of("1.png", "\tred", "1.png\t", "1\t0.0\t1.png")) {
      var list = write(folder.resolve("train.lst"), ("a.png\tb\n" + line).getBytes(US_ASCII));
      assertEquals(
          list + ":2: expected PATH<TAB>LABEL, but was \"" + line + "\"",
          error(new ImageList(list), BadImages.SKIP));
    }
    var list = write(folder.resolve("train.lst"), new byte[] {'a', (byte) 0xFF, '\t', 'b'});
    assertEquals(
        list + ": is not UTF-8; save it as UTF-8", error(new ImageList(list), BadImages.SKIP));
  }

  @Test
  void badImagesAreLeftOutAndCounted() {
    write(folder.resolve("a/0.png"), new byte[0]);
    write(folder.resolve("a/1.png"), png(Color.RED));
    for (int i = 2; i < 9; i++) {
      write(folder.resolve("a/" + i + ".png"), new byte[] {1, 2, 3});
    }
    var source = source(new ImageFolder(folder, 1), BadImages.SKIP);
    for (int pass = 0; pass < 2; pass++) {
      assertEquals(List.of("a/1.png"), all(source).stream().map(Taken::name).toList());
      assertEquals(8, source.skipped().count());
      assertEquals(5, source.skipped().first().size());
      assertEquals("a/0.png is empty", source.skipped().first().getFirst());
      assertEquals("a/2.png is of no image format that is known", source.skipped().first().get(1));
    }
  }

  @Test
  void badImagesAreRefusedWhenThatIsAskedFor() {
    write(folder.resolve("a/0.png"), new byte[0]);
    write(folder.resolve("a/1.png"), png(Color.RED));
    assertEquals(
        folder
            + ": a/0.png is empty; repair or remove it, or leave such images out: --bad-images"
            + " skip",
        error(new ImageFolder(folder, 1), BadImages.REFUSE));
  }

  @Test
  void aPlaceWithoutUsableImagesIsRefused() {
    assertEquals(
        folder + ": has no images in it", error(new ImageFolder(folder, 1), BadImages.SKIP));
    var list = write(folder.resolve("train.lst"), "gone.png\ta\n".getBytes(US_ASCII));
    assertEquals(
        list + ": has no image that can be used; the first: gone.png is not there",
        error(new ImageList(list), BadImages.SKIP));
    var nowhere = folder.resolve("nowhere");
    assertEquals(
        nowhere + ": no such file or folder", error(new ImageFolder(nowhere, 1), BadImages.SKIP));
  }

  @Test
  void aFolderIsConvertedAndSplitWithItsNames() {
    for (int i = 0; i < 60; i++) {
      write(folder.resolve("in/class %d/%d.png".formatted(i / 20, i)), png(new Color(i, 0, 0)));
    }
    var train = folder.resolve("train.mcd");
    var test = folder.resolve("test.mcd");
    var source = source(new ImageFolder(folder.resolve("in"), 1), BadImages.REFUSE);
    var result = Conversion.defaults().withTestShare(0.3).split(source, train, test);
    assertEquals(60, result.trainExamples() + result.testExamples());
    try (var data = Dataset.open(test)) {
      assertEquals(DOT, data.imageShape());
      var name = data.name(0);
      var number = name.replaceFirst(".*/(\\d+)\\.png", "$1");
      var red = data.pixels().get(ValueLayout.JAVA_BYTE, data.pixelOffset(0));
      assertEquals(Integer.parseInt(number), red);
      assertEquals(name.replaceFirst("/.*", ""), data.labels().label(data.target(0, 0)));
    }
  }

  private static ImageSource source(ImageCatalogue catalogue, BadImages badImages) {
    return new ImageSource(catalogue, new ImageDecoder(DOT, Resize.CROP), badImages);
  }

  private static String error(ImageCatalogue catalogue, BadImages badImages) {
    var source = source(catalogue, badImages);
    return String.valueOf(assertThrows(InvalidFileException.class, () -> all(source)).getMessage());
  }
}
