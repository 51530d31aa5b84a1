// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class Utf8Test {
  @Property(tries = 5000)
  void theFirstInvalidByteIsWhereTheDecoderOfTheJdkStops(@ForAll("bytes") byte[] bytes) {
    assertEquals(firstMalformed(bytes), Utf8.firstInvalid(bytes, 0, bytes.length));
  }

  /** Bytes near the borders of the ranges of RFC 3629, which random bytes would seldom hit. */
  @Provide
  Arbitrary<byte[]> bytes() {
    var one =
        Arbitraries.of(
                0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0,
                0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF)
            .map(Integer::byteValue);
    return one.array(byte[].class).ofMaxSize(24);
  }

  @Test
  void everyCharacterIsValid() {
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      if (c < 0xD800 || c > 0xDFFF) {
        var bytes = Character.toString(c).getBytes(UTF_8);
        assertEquals(-1, Utf8.firstInvalid(bytes, 0, bytes.length));
      }
    }
  }

  @Test
  void onlyTheRangeAskedForIsRead() {
    var bytes = new byte[] {(byte) 0xFF, 'a', 'b', (byte) 0xC3, (byte) 0xA4};
    assertEquals(-1, Utf8.firstInvalid(bytes, 1, 3));
    assertEquals(3, Utf8.firstInvalid(bytes, 1, 4));
    assertEquals(-1, Utf8.firstInvalid(bytes, 1, 5));
  }

  private static int firstMalformed(byte[] bytes) {
    var in = ByteBuffer.wrap(bytes);
    var result = UTF_8.newDecoder().decode(in, CharBuffer.allocate(100), true);
    return result.isUnderflow() ? -1 : in.position();
  }
}
