// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Arrays;
import java.util.SplittableRandom;
import megaclass.data.ImageShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PngImageTest {
  private static byte[] pixels(ImageShape shape) {
    var pixels = new byte[shape.size()];
    new SplittableRandom(7).nextBytes(pixels);
    return pixels;
  }

  @ParameterizedTest
  @ValueSource(strings = {"1x1x1", "1x5x7", "3x5x7", "3x16x3"})
  void whatIsEncodedIsDecodedAgain(String text) throws BadImageException {
    var shape = ImageShape.parse(text);
    var decoder = new ImageDecoder(shape, Resize.CROP);
    assertArrayEquals(
        pixels(shape), decoder.decode(PngImage.encode(shape, pixels(shape))), "PNG loses nothing");
  }

  @Test
  void ofManyChannelsTheFirstIsShown() throws BadImageException {
    var shape = new ImageShape(5, 4, 6);
    var decoder = new ImageDecoder(new ImageShape(1, 4, 6), Resize.CROP);
    assertArrayEquals(
        Arrays.copyOf(pixels(shape), 24), decoder.decode(PngImage.encode(shape, pixels(shape))));
  }
}
