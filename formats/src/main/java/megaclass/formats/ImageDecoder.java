// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.event.IIOReadWarningListener;
import javax.imageio.stream.MemoryCacheImageInputStream;
import megaclass.data.ImageShape;
import org.jspecify.annotations.Nullable;

/**
 * Decodes an image of any format that {@code javax.imageio} knows (PNG, JPEG, GIF, BMP, TIFF, WebP)
 * and brings it to a shape. The first image of a file with several counts; orientation notes of
 * cameras are not followed. Immutable and thread-safe.
 */
public final class ImageDecoder {
  /** Larger images are not decoded: they would take gigabytes. */
  static final long MAX_PIXELS = 100_000_000;

  private final ImageShape shape;
  private final Resize resize;

  /** Decodes to this shape, of 1 (grey) or 3 (red, green, blue) channels. */
  public ImageDecoder(ImageShape shape, Resize resize) {
    if (shape.channels() != 1 && shape.channels() != 3) {
      throw new IllegalArgumentException(
          "images are decoded to 1 channel (grey) or 3 (red, green, blue), but the shape is "
              + shape);
    }
    this.shape = shape;
    this.resize = resize;
  }

  /** What images become. */
  public ImageShape shape() {
    return shape;
  }

  /** How they come to that shape. */
  public Resize resize() {
    return resize;
  }

  /**
   * Decodes an image.
   *
   * @return (C, H, W) bytes
   * @throws BadImageException when it is no image, or one that cannot be used
   */
  public byte[] decode(byte[] encoded) throws BadImageException {
    if (encoded.length == 0) {
      throw new BadImageException("is empty");
    }
    BadImageException first = null;
    for (var reader : readers(encoded)) {
      try {
        return resized(read(reader, encoded));
      } catch (BadImageException e) {
        first = first == null ? e : first; // another reader of this format may know better
      } finally {
        reader.dispose();
      }
    }
    throw first == null ? new BadImageException("is of no image format that is known") : first;
  }

  private static List<ImageReader> readers(byte[] encoded) throws BadImageException {
    var readers = new ArrayList<ImageReader>();
    try (var input = new MemoryCacheImageInputStream(new ByteArrayInputStream(encoded))) {
      ImageIO.getImageReaders(input).forEachRemaining(readers::add);
    } catch (IOException e) {
      throw new BadImageException("cannot be read: " + e.getMessage(), e);
    }
    return readers;
  }

  private static BufferedImage read(ImageReader reader, byte[] encoded) throws BadImageException {
    try (var input = new MemoryCacheImageInputStream(new ByteArrayInputStream(encoded))) {
      var end = new EndOfFile();
      reader.addIIOReadWarningListener(end);
      reader.setInput(input, false, true);
      long width = reader.getWidth(0);
      long height = reader.getHeight(0);
      if (width * height > MAX_PIXELS) {
        throw new BadImageException(
            "has %d x %d pixels, more than %d million"
                .formatted(width, height, MAX_PIXELS / 1_000_000));
      }
      var image = reader.read(0);
      if (end.missed) {
        throw new BadImageException("is truncated");
      }
      return image;
    } catch (IOException | RuntimeException e) {
      // Readers meet damaged bytes with exceptions of all kinds.
      var message = e.getMessage();
      throw new BadImageException(
          "is damaged" + (message == null ? "" : ": " + message.lines().findFirst().orElse("")), e);
    }
  }

  /** The JDK's JPEG reader fills what a truncated file lacks with grey, and says so in passing. */
  private static final class EndOfFile implements IIOReadWarningListener {
    private boolean missed;

    @Override
    public void warningOccurred(@Nullable ImageReader source, @Nullable String warning) {
      missed |= warning != null && warning.toLowerCase(Locale.ROOT).contains("premature end");
    }
  }

  private byte[] resized(BufferedImage image) {
    double alongX = (double) image.getWidth() / shape.width();
    double alongY = (double) image.getHeight() / shape.height();
    double step = resize == Resize.CROP ? Math.min(alongX, alongY) : Math.max(alongX, alongY);
    var columns = Axis.of(image.getWidth(), shape.width(), step);
    var rows = Axis.of(image.getHeight(), shape.height(), step);
    int rowSize = shape.channels() * shape.width();
    int from = rows.from(0);
    int to = rows.to(shape.height() - 1);

    // (source rows from from to to, C, W): narrowed already.
    var narrow = new float[(to - from) * rowSize];
    var source = new PixelRows(image);
    var row = new float[shape.channels() * image.getWidth()];
    for (int y = from; y < to; y++) {
      source.read(y, shape.channels(), row);
      for (int i = 0; i < rowSize; i++) {
        int start = i / shape.width() * image.getWidth();
        narrow[(y - from) * rowSize + i] = columns.at(i % shape.width(), row, start, 1);
      }
    }
    var pixels = new byte[shape.size()];
    for (int channel = 0; channel < shape.channels(); channel++) {
      for (int y = 0; y < shape.height(); y++) {
        for (int x = 0; x < shape.width(); x++) {
          int at = channel * shape.width() + x - from * rowSize;
          float value = rows.at(y, narrow, at, rowSize);
          pixels[(channel * shape.height() + y) * shape.width() + x] =
              (byte) Math.clamp(Math.round(value), 0, 255);
        }
      }
    }
    return pixels;
  }
}
