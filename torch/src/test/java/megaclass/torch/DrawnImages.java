// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.geom.Path2D;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.util.SplittableRandom;
import megaclass.data.Dataset;
import megaclass.data.ImageShape;
import megaclass.internal.Hash;

/**
 * Characters that nobody has written: each class is a few strokes, each image of it these strokes
 * with another slant, size and place. Drawn, not stored.
 */
final class DrawnImages {
  static final ImageShape SHAPE = new ImageShape(1, 28, 28);
  private static final int STROKES = 3;

  private DrawnImages() {}

  /** Images {@code [from, to)} of each of the first classes, class after class. */
  static Dataset of(int numClasses, int from, int to) {
    int perClass = to - from;
    var pixels = new byte[numClasses * perClass][];
    var labels = new String[pixels.length];
    for (int c = 0; c < numClasses; c++) {
      for (int i = 0; i < perClass; i++) {
        pixels[c * perClass + i] = draw(c, from + i);
        labels[c * perClass + i] = "sign " + c;
      }
    }
    return Dataset.ofImages(SHAPE, pixels, labels);
  }

  private static byte[] draw(int classId, int image) {
    var strokes = new SplittableRandom(Hash.key(1, classId));
    var hand = new SplittableRandom(Hash.key(2, classId, image));
    var canvas = new BufferedImage(SHAPE.width(), SHAPE.height(), BufferedImage.TYPE_BYTE_GRAY);
    var pen = canvas.createGraphics();
    pen.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    pen.setColor(Color.WHITE);
    pen.setStroke(new BasicStroke((float) (1.5 + hand.nextDouble())));
    pen.translate(14 + 3 * (hand.nextDouble() - 0.5), 14 + 3 * (hand.nextDouble() - 0.5));
    pen.rotate(0.5 * (hand.nextDouble() - 0.5));
    double size = 0.8 + 0.4 * hand.nextDouble();
    pen.transform(new AffineTransform(size, 0, 0.4 * (hand.nextDouble() - 0.5), size, 0, 0));
    for (int s = 0; s < STROKES; s++) {
      var stroke = new Path2D.Double();
      stroke.moveTo(at(strokes), at(strokes));
      stroke.quadTo(at(strokes), at(strokes), at(strokes), at(strokes));
      pen.draw(stroke);
    }
    pen.dispose();
    return ((DataBufferByte) canvas.getRaster().getDataBuffer()).getData().clone();
  }

  private static double at(SplittableRandom random) {
    return 20 * (random.nextDouble() - 0.5);
  }
}
