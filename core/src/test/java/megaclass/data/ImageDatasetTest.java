// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageDatasetTest {
  private static final ImageShape SHAPE = new ImageShape(2, 3, 4);

  @TempDir Path folder;

  @Property
  void theTextOfAShapeReadsBack(
      @ForAll @IntRange(min = 1, max = 16) int channels,
      @ForAll @IntRange(min = 1, max = 4096) int height,
      @ForAll @IntRange(min = 1, max = 4096) int width) {
    var shape = new ImageShape(channels, height, width);
    assertEquals(shape, ImageShape.parse(shape.toString()));
  }

  @Test
  void aTextThatIsNoShapeIsRefused() {
    assertEquals(
        "the shape of an image must be CHANNELSxHEIGHTxWIDTH, as in 1x28x28, but was \"28x28\"",
        assertThrows(IllegalArgumentException.class, () -> ImageShape.parse("28x28")).getMessage());
    assertEquals(
        "height of an image (pixels) must be in [1, 4096], but was 0",
        assertThrows(IllegalArgumentException.class, () -> ImageShape.parse("1x0x28"))
            .getMessage());
  }

  @Test
  void imagesInMemoryAreReadAsGiven() {
    var images = images(3);
    try (var data = Dataset.ofImages(SHAPE, images, new String[] {"b", "a", "b"})) {
      assertEquals(FeatureKind.IMAGE, data.kind());
      assertEquals(SHAPE, data.imageShape());
      assertEquals(0, data.featureDim());
      assertEquals(72, data.pixels().byteSize());
      assertTrue(data.pixels().isReadOnly());
      for (int i = 0; i < 3; i++) {
        assertArrayEquals(images[i], pixels(data, i));
        assertEquals(String.valueOf(i), data.name(i), "an image without a name has its number");
      }
      assertThrows(IndexOutOfBoundsException.class, () -> data.pixelOffset(3));
      assertThrows(IndexOutOfBoundsException.class, () -> data.name(3));
    }
  }

  @Test
  void whatIsWrittenIsReadWithItsNames() {
    var file = folder.resolve("a.mcd");
    var images = images(4);
    var names = new String[] {"", "猫/1.png", "", "b c.jpg"};
    try (var writer = DatasetWriter.images(file, SHAPE)) {
      for (int i = 0; i < 4; i++) {
        writer.add(images[i], names[i], i == 2 ? new String[] {"a", "b"} : new String[] {"b"});
      }
      writer.source("drawn").finish();
    }
    try (var data = Dataset.open(file)) {
      assertEquals(SHAPE, data.imageShape());
      assertEquals(2, data.numTargets(2));
      for (int i = 0; i < 4; i++) {
        assertArrayEquals(images[i], pixels(data, i));
      }
      assertEquals("0", data.name(0));
      assertEquals("猫/1.png", data.name(1));
      assertEquals("2", data.name(2));
      assertEquals("b c.jpg", data.name(3));
      var copy = folder.resolve("copy.mcd");
      data.save(copy);
      try (var again = Dataset.open(copy)) {
        assertEquals(data.contentHash(), again.contentHash());
        assertEquals("猫/1.png", again.name(1));
        assertEquals("2", again.name(2));
      }
    }
  }

  @Test
  void aShapeOfTheSameSizeIsOtherContent() {
    var labels = new String[] {"a"};
    try (var one = Dataset.ofImages(SHAPE, images(1), labels);
        var other = Dataset.ofImages(new ImageShape(2, 4, 3), images(1), labels)) {
      assertNotEquals(one.contentHash(), other.contentHash());
    }
  }

  @Test
  void conversionSplitsImagesAsDatasetDoesAndKeepsTheirNames() {
    var source = new Drawn(200);
    var train = folder.resolve("train.mcd");
    var test = folder.resolve("test.mcd");
    var whole = folder.resolve("whole.mcd");
    Conversion.whole(source, whole);
    var result = new Conversion(0.3, 2, 5).split(source, train, test);
    assertEquals(200, result.trainExamples() + result.testExamples());
    try (var all = Dataset.open(whole);
        var held = Dataset.open(test);
        var memory = Dataset.read(source, new Labels.Builder())) {
      var expected = all.split(0.3, 5, 2).test();
      assertTrue(held.numExamples() > 30);
      assertEquals(expected.numExamples(), held.numExamples());
      var names = new HashSet<String>();
      for (long i = 0; i < held.numExamples(); i++) {
        assertArrayEquals(pixels(expected, i), pixels(held, i));
        assertEquals(expected.name(i), held.name(i));
        assertTrue(names.add(held.name(i)));
      }
      assertEquals(all.contentHash(), memory.contentHash());
      assertEquals(all.name(7), memory.name(7));
    }
  }

  @Test
  void imagesOfAnotherSizeAndOtherFeaturesAreRefused() {
    var file = folder.resolve("a.mcd");
    try (var writer = DatasetWriter.images(file, SHAPE);
        var text = DatasetWriter.text(folder.resolve("b.mcd"));
        var data = Dataset.ofImages(SHAPE, images(1), new String[] {"a"});
        var texts = Dataset.of(new String[] {"x"}, new String[] {"a"})) {
      writer.add(new byte[24], "", "a");
      assertEquals(
          "image 1 has 23 bytes, but an image of 2x3x4 has 24",
          assertThrows(IllegalArgumentException.class, () -> writer.add(new byte[23], "x", "a"))
              .getMessage());
      assertEquals(
          "this file takes images, not text",
          assertThrows(IllegalStateException.class, () -> writer.add("x", "a")).getMessage());
      assertEquals(
          "this file takes text, not images",
          assertThrows(IllegalStateException.class, () -> text.add(new byte[24], "x", "a"))
              .getMessage());
      assertEquals(
          "the features of this data set are images, not text",
          assertThrows(IllegalStateException.class, data::textBytes).getMessage());
      assertEquals(
          "the features of this data set are text, not images",
          assertThrows(IllegalStateException.class, texts::imageShape).getMessage());
      assertThrows(IllegalStateException.class, texts::pixels);
      assertEquals(
          "a list holds text, not images",
          assertThrows(IllegalStateException.class, () -> new ListSource(List.of()).imageShape())
              .getMessage());
    }
  }

  /** Random images of 20 classes. */
  private record Drawn(int count) implements ExampleSource {
    @Override
    public FeatureKind kind() {
      return FeatureKind.IMAGE;
    }

    @Override
    public int featureDim() {
      return 0;
    }

    @Override
    public ImageShape imageShape() {
      return SHAPE;
    }

    @Override
    public String description() {
      return "drawn images";
    }

    @Override
    public void forEach(Sink sink) {
      var images = images(count);
      for (int i = 0; i < count; i++) {
        sink.image(images[i], "image " + i, ("class " + i % 20).getBytes(UTF_8));
      }
    }
  }

  private static byte[][] images(int count) {
    var random = new Random(count);
    return IntStream.range(0, count)
        .mapToObj(
            _ -> {
              var pixels = new byte[SHAPE.size()];
              random.nextBytes(pixels);
              return pixels;
            })
        .toArray(byte[][]::new);
  }

  private static byte[] pixels(Dataset data, long example) {
    return data.pixels()
        .asSlice(data.pixelOffset(example), data.imageShape().size())
        .toArray(ValueLayout.JAVA_BYTE);
  }
}
