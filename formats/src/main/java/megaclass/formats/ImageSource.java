// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import megaclass.data.ExampleSource;
import megaclass.data.FeatureKind;
import megaclass.data.ImageShape;
import megaclass.internal.InvalidFileException;
import org.jspecify.annotations.Nullable;

/**
 * The images of a catalogue as examples: decoded on all cores, handed over in the catalogue's
 * order. Not thread-safe.
 */
public final class ImageSource implements ExampleSource {
  private static final int NAMED = 5;

  /** Images that wait for one before them, for each core. */
  private static final int AHEAD = 16;

  private final ImageCatalogue catalogue;
  private final ImageDecoder decoder;
  private final BadImages badImages;
  private Skipped skipped = new Skipped(0, List.of());

  /**
   * Images that were left out.
   *
   * @param first name and fault of the first few, in words
   */
  public record Skipped(long count, List<String> first) {}

  /** An image whose pixels, (C, H, W) bytes, are being made. */
  private record Ahead(EncodedImage image, Future<byte[]> pixels) {}

  /** The images of a catalogue in the decoder's shape. */
  public ImageSource(ImageCatalogue catalogue, ImageDecoder decoder, BadImages badImages) {
    this.catalogue = catalogue;
    this.decoder = decoder;
    this.badImages = badImages;
  }

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
    return decoder.shape();
  }

  /** Where the images come from. */
  public ImageCatalogue catalogue() {
    return catalogue;
  }

  @Override
  public String description() {
    return "%s as %s (%s)"
        .formatted(
            catalogue.path().getFileName(),
            decoder.shape(),
            decoder.resize().name().toLowerCase(Locale.ROOT));
  }

  /** What {@link #forEach} left out, the last time. */
  public Skipped skipped() {
    return skipped;
  }

  @Override
  public void forEach(Sink sink) {
    int cores = Runtime.getRuntime().availableProcessors();
    skipped = new Skipped(0, List.of());
    long[] taken = {0};
    ExecutorService pool =
        Executors.newFixedThreadPool(
            cores, Thread.ofPlatform().daemon().name("megaclass-decode-", 0).factory());
    try {
      var ahead = new ArrayDeque<Ahead>();
      catalogue.forEach(
          image -> {
            ahead.add(new Ahead(image, pool.submit(() -> decode(image))));
            if (ahead.size() == AHEAD * cores) {
              taken[0] += hand(ahead.remove(), sink);
            }
          });
      while (!ahead.isEmpty()) {
        taken[0] += hand(ahead.remove(), sink);
      }
    } finally {
      pool.shutdownNow();
    }
    if (taken[0] == 0) {
      throw new InvalidFileException(
          catalogue.path(),
          skipped.count() == 0
              ? "has no images in it"
              : "has no image that can be used; the first: " + skipped.first().getFirst());
    }
  }

  private byte[] decode(EncodedImage image) throws BadImageException {
    try {
      return decoder.decode(image.content().read());
    } catch (NoSuchFileException e) {
      throw new BadImageException("is not there", e);
    } catch (IOException e) {
      throw new BadImageException("cannot be read: " + e.getMessage(), e);
    }
  }

  /** Gives an image to the sink; 1 if it was taken. */
  private int hand(Ahead next, Sink sink) {
    var image = next.image();
    byte[] pixels;
    try {
      pixels = next.pixels().get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while images were decoded", e);
    } catch (ExecutionException e) {
      leaveOut(image.name(), e.getCause());
      return 0;
    }
    sink.image(pixels, image.name(), image.label().getBytes(UTF_8));
    return 1;
  }

  private void leaveOut(String name, @Nullable Throwable fault) {
    if (!(fault instanceof BadImageException)) {
      throw new IllegalStateException(name + " could not be decoded: " + fault, fault);
    }
    String sentence = name + " " + fault.getMessage();
    if (badImages == BadImages.REFUSE) {
      throw new InvalidFileException(
          catalogue.path(),
          sentence + "; repair or remove it, or leave such images out: --bad-images skip");
    }
    var named = new ArrayList<>(skipped.first());
    if (named.size() < NAMED) {
      named.add(sentence);
    }
    skipped = new Skipped(skipped.count() + 1, List.copyOf(named));
  }
}
