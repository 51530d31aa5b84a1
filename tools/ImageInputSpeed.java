// SPDX-License-Identifier: Apache-2.0

import java.util.Arrays;
import java.util.Random;
import megaclass.data.BatchReader;
import megaclass.data.Dataset;
import megaclass.data.ImageShape;
import megaclass.image.Augmentation;
import megaclass.image.ImageInput;

/**
 * Measures how many images a second become the input of a network: {@code 3x112x112 "augment(...)"
 * 2}.
 */
final class ImageInputSpeed {
  private static final int BATCH = 256;

  private ImageInputSpeed() {}

  /** Shape, augmentation and threads; prints the best of five rounds. */
  public static void main(String[] args) {
    var shape = ImageShape.parse(args[0]);
    var random = new Random(1);
    var images = new byte[4 * BATCH][shape.size()];
    for (var image : images) {
      random.nextBytes(image);
    }
    var labels = new String[images.length];
    Arrays.fill(labels, "a");
    var augmentation = Augmentation.parse(args[1]);
    try (var data = Dataset.ofImages(shape, images, labels);
        var input = ImageInput.open(shape, BATCH, augmentation, 1, Integer.parseInt(args[2]))) {
      var reader = new BatchReader(data, BATCH, 1, 1);
      double best = 0;
      long step = 0;
      for (int round = 0; round < 5; round++) {
        long start = System.nanoTime();
        long from = step;
        while (System.nanoTime() - start < 1_000_000_000) {
          input.take(reader.batch(step++), true);
        }
        double seconds = (System.nanoTime() - start) * 1e-9;
        best = Math.max(best, (step - from) * BATCH / seconds);
      }
      System.out.printf("%s  %s  %s threads  %,.0f images/s%n", shape, augmentation, args[2], best);
    }
  }
}
