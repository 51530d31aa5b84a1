// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.MemorySegment;
import megaclass.internal.LittleEndian;

/** Checks of UTF-8 bytes (RFC 3629), which the decoder of the JDK would silently repair. */
final class Utf8 {
  private static final long HIGH_BITS = 0x8080808080808080L;

  private Utf8() {}

  /** Where the first byte that is not valid UTF-8 stands in [from, to), or -1. */
  static int firstInvalid(byte[] bytes, int from, int to) {
    var segment = MemorySegment.ofArray(bytes);
    int at = from;
    while (at < to) {
      if (at + 8 <= to && (segment.get(LittleEndian.LONG, at) & HIGH_BITS) == 0) {
        at += 8;
        continue;
      }
      int length = sequenceLength(bytes, at, to);
      if (length == 0) {
        return at;
      }
      at += length;
    }
    return -1;
  }

  /** Bytes of the character that starts here, or 0 if they are not valid. */
  private static int sequenceLength(byte[] bytes, int at, int to) {
    int first = bytes[at] & 0xFF;
    if (first < 0x80) {
      return 1;
    }
    int length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (length == 0 || at + length > to) {
      return 0;
    }
    // The second byte excludes overlong forms, surrogates and what lies above U+10FFFF.
    int second = bytes[at + 1] & 0xFF;
    int low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    int high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (second < low || second > high) {
      return 0;
    }
    for (int i = 2; i < length; i++) {
      if ((bytes[at + i] & 0xC0) != 0x80) {
        return 0;
      }
    }
    return length;
  }

  /** The start of some valid text for an error message, in quotes, without control characters. */
  static String excerpt(byte[] bytes, int from, int to) {
    int end = Math.min(to, from + 40);
    while (end < to && (bytes[end] & 0xC0) == 0x80) {
      end++;
    }
    var text = new String(bytes, from, end - from, UTF_8).replaceAll("\\p{Cntrl}", "\uFFFD");
    return "\"" + text + (end < to ? "..." : "") + "\"";
  }
}
