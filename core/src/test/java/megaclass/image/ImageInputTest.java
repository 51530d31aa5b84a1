// SPDX-License-Identifier: Apache-2.0
package megaclass.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import megaclass.data.BatchReader;
import megaclass.data.Dataset;
import megaclass.data.ImageShape;
import megaclass.data.MiniBatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ImageInputTest {
  private static final ImageShape SHAPE = new ImageShape(3, 9, 7);
  private static final Augmentation ALL =
      Augmentation.parse(
          "augment(shift=0.1, scale=0.2, rotate=20, flip=0.5, noise=0.05, blur=0.8, erase=0.5)");

  private final byte[][] images = images();
  private final Dataset data = Dataset.ofImages(SHAPE, images, labels());
  private final BatchReader reader = new BatchReader(data, 16, 8, 1);

  @AfterEach
  void close() {
    data.close();
  }

  @Test
  void imagesThatAreNotAugmentedAreTheirPixels() {
    try (var input = ImageInput.open(SHAPE, 16, ALL, 1, 2);
        var plain = ImageInput.open(SHAPE, 16, Augmentation.NONE, 1, 2)) {
      var batch = MiniBatch.range(data, 3, 5);
      var expected = new float[5 * SHAPE.size()];
      for (int i = 0; i < expected.length; i++) {
        int pixel = images[3 + i / SHAPE.size()][i % SHAPE.size()] & 0xFF;
        expected[i] = (pixel - 127.5f) / 127.5f;
      }
      assertArrayEquals(expected, floats(input.take(batch, false)));
      assertArrayEquals(expected, floats(plain.take(batch, true)));
    }
  }

  @Test
  void theBitsDependNeitherOnThreadsNorOnAnnouncements() {
    var expected = new float[6][];
    try (var input = ImageInput.open(SHAPE, 16, ALL, 7, 1)) {
      for (int step = 0; step < 6; step++) {
        expected[step] = floats(input.take(reader.batch(step), true));
      }
    }
    for (int threads : new int[] {1, 2, 5}) {
      try (var input = ImageInput.open(SHAPE, 16, ALL, 7, threads)) {
        input.announce(reader.batch(0));
        for (int step = 0; step < 6; step++) {
          var taken = input.take(reader.batch(step), true);
          input.announce(reader.batch(step + 1));
          input.announce(reader.batch(step + 1)); // twice makes no difference
          assertArrayEquals(expected[step], floats(taken), "what is announced goes elsewhere");
        }
      }
    }
  }

  @Test
  void anEvaluationBetweenDoesNotDisturbWhatIsAnnounced() {
    try (var input = ImageInput.open(SHAPE, 16, ALL, 7, 2);
        var other = ImageInput.open(SHAPE, 16, ALL, 7, 2)) {
      input.announce(reader.batch(3));
      var range = MiniBatch.range(data, 0, 16);
      var evaluated = floats(input.take(range, false));
      assertArrayEquals(evaluated, floats(other.take(range, false)));
      assertArrayEquals(
          floats(other.take(reader.batch(3), true)), floats(input.take(reader.batch(3), true)));
    }
  }

  @Test
  void theLastAnnouncementCounts() {
    try (var input = ImageInput.open(SHAPE, 16, ALL, 7, 3);
        var other = ImageInput.open(SHAPE, 16, ALL, 7, 1)) {
      for (int step = 0; step < 50; step++) {
        input.announce(reader.batch(step));
      }
      assertArrayEquals(
          floats(other.take(reader.batch(49), true)), floats(input.take(reader.batch(49), true)));
      input.announce(reader.batch(50)); // closing does not wait for it to be taken
    }
  }

  @Test
  void stepsSeedsAndExamplesDrawAnew() {
    var noise = Augmentation.parse("augment(noise=0.1)");
    var same = new byte[2][SHAPE.size()];
    try (var twins = Dataset.ofImages(SHAPE, same, new String[] {"a", "a"});
        var input = ImageInput.open(SHAPE, 2, noise, 7, 1);
        var otherSeed = ImageInput.open(SHAPE, 2, noise, 8, 1)) {
      var steps = new BatchReader(twins, 2, 1, 1);
      var first = floats(input.take(steps.batch(0), true));
      assertFalse(Arrays.equals(first, floats(input.take(steps.batch(1), true))));
      assertFalse(Arrays.equals(first, floats(otherSeed.take(steps.batch(0), true))));
      int size = SHAPE.size();
      assertFalse(Arrays.equals(first, 0, size, first, size, 2 * size));
    }
  }

  @Test
  void valuesStayInRange() {
    try (var input = ImageInput.open(SHAPE, 16, Augmentation.parse("augment(noise=1)"), 7, 1)) {
      for (float value : floats(input.take(reader.batch(0), true))) {
        assertTrue(value >= -1 && value <= 1);
      }
    }
  }

  @Test
  void aCertainFlipMirrorsEachImage() {
    var flipped = taken("augment(flip=1)");
    var plain = taken("none");
    int width = SHAPE.width();
    for (int i = 0; i < plain.length; i++) {
      assertEquals(plain[i], flipped[i / width * width + width - 1 - i % width]);
    }
  }

  @Test
  void noiseHasTheDeviationDrawn() {
    // Grey of 128 and noise whose deviation is uniform up to a tenth of black to white.
    var grey = new byte[200][SHAPE.size()];
    for (var image : grey) {
      Arrays.fill(image, (byte) 128);
    }
    var labels = new String[grey.length];
    Arrays.fill(labels, "a");
    try (var set = Dataset.ofImages(SHAPE, grey, labels);
        var input = ImageInput.open(SHAPE, 200, Augmentation.parse("augment(noise=0.1)"), 7, 1)) {
      var values = floats(input.take(MiniBatch.range(set, 0, 200), true));
      double sum = 0;
      double squares = 0;
      for (float value : values) {
        sum += value;
        squares += value * value;
      }
      assertEquals(0.004, sum / values.length, 0.005);
      // The mean square of a uniform number in [0, d] is d * d / 3; values go over 2.
      assertEquals(0.04 / 3, squares / values.length, 0.002);
    }
  }

  @Test
  void blurringSmoothesAndKeepsAFlatImage() {
    var plain = taken("none");
    var blurred = taken("augment(blur=2)");
    assertTrue(variation(blurred) < 0.6 * variation(plain));
    var flat = new byte[][] {new byte[SHAPE.size()]};
    try (var set = Dataset.ofImages(SHAPE, flat, new String[] {"a"});
        var input = ImageInput.open(SHAPE, 1, Augmentation.parse("augment(blur=2)"), 7, 1)) {
      for (float value : floats(input.take(MiniBatch.range(set, 0, 1), true))) {
        assertEquals(-1f, value, 1e-5f);
      }
    }
  }

  @Test
  void erasingPaintsOneRectangleOfEachImage() {
    var plain = taken("none");
    var erased = taken("augment(erase=1)");
    int painted = 0;
    for (int i = 0; i < plain.length; i++) {
      painted += plain[i] == erased[i] ? 0 : 1;
    }
    assertTrue(painted > plain.length / 100, painted + " values");
    assertTrue(painted < plain.length * 0.25, painted + " values");
    assertArrayEquals(plain, taken("augment(erase=0)"));
  }

  @Test
  void imagesOfAnotherShapeAndBatchesTooLargeAreRefused() {
    var other = new ImageShape(1, 9, 7);
    try (var input = ImageInput.open(other, 4, ALL, 1, 1);
        var small = ImageInput.open(SHAPE, 4, ALL, 1, 1)) {
      assertEquals(
          "data in memory holds images of 3x9x7, expected 1x9x7",
          assertThrows(
                  IllegalArgumentException.class,
                  () -> input.take(MiniBatch.range(data, 0, 2), false))
              .getMessage());
      assertEquals(
          "size of the batch must be in [1, 4], but was 16",
          assertThrows(IllegalArgumentException.class, () -> small.announce(reader.batch(0)))
              .getMessage());
    }
  }

  @Test
  void waitingIsCounted() {
    try (var input = ImageInput.open(SHAPE, 16, ALL, 1, 1)) {
      assertEquals(0, input.waitedSeconds());
      input.take(reader.batch(0), true);
      assertTrue(input.waitedSeconds() > 0);
    }
  }

  @Test
  void aFailureReachesTheOneWhoTakes() {
    try (var input = ImageInput.open(SHAPE, 16, ALL, 1, 2)) {
      var closed = Dataset.ofImages(SHAPE, images, labels());
      var batch = MiniBatch.range(closed, 0, 8);
      closed.close();
      assertThrows(IllegalStateException.class, () -> input.take(batch, true));
      input.take(reader.batch(0), true);
    }
  }

  private float[] taken(String augmentation) {
    try (var input = ImageInput.open(SHAPE, 32, Augmentation.parse(augmentation), 7, 2)) {
      return floats(input.take(MiniBatch.range(data, 0, 32), true));
    }
  }

  private static double variation(float[] values) {
    double sum = 0;
    for (int i = 1; i < values.length; i++) {
      sum += Math.abs(values[i] - values[i - 1]);
    }
    return sum;
  }

  private static float[] floats(MemorySegment segment) {
    return segment.toArray(ValueLayout.JAVA_FLOAT);
  }

  private static byte[][] images() {
    var random = new Random(5);
    var images = new byte[100][SHAPE.size()];
    for (var image : images) {
      random.nextBytes(image);
    }
    return images;
  }

  private static String[] labels() {
    var labels = new String[100];
    Arrays.setAll(labels, i -> "class " + i % 10);
    return labels;
  }
}
