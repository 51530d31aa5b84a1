// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class ChecksumTest {
  @Test
  void crcOfTheStandardTextIsThePublishedOne() {
    // The check value of CRC-32C (RFC 3720, iSCSI).
    assertEquals(0xE3069283, Checksum.of(MemorySegment.ofArray("123456789".getBytes(US_ASCII))));
  }

  @Test
  void aSectionsChecksumIsTheCrcOfTheCrcsOfItsPieces() {
    var bytes = new byte[(int) (2 * Checksum.PIECE_BYTES + 5)];
    new Random(1).nextBytes(bytes);
    var pieces = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
    for (int from = 0; from < bytes.length; from += 16 << 20) {
      pieces.putInt(crc(bytes, from, Math.min(16 << 20, bytes.length - from)));
    }
    assertEquals(crc(pieces.array(), 0, 12), Checksum.ofSection(MemorySegment.ofArray(bytes)));
  }

  @Test
  void theChecksumOfNothingIsThatOfNoPieces() {
    assertEquals(0, Checksum.ofSection(MemorySegment.NULL));
  }

  private static int crc(byte[] bytes, int from, int length) {
    var crc = new CRC32C();
    crc.update(bytes, from, length);
    return (int) crc.getValue();
  }
}
