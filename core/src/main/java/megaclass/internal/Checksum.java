// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.LongStream;
import java.util.zip.CRC32C;

/**
 * The checksum of a section: CRC-32C of the CRC-32Cs of its pieces of 16 MiB, each as four
 * little-endian bytes. Pieces can be checked on all cores at once, and any flipped bit changes the
 * result, since CRC-32C finds every error of up to 32 neighbouring bits.
 */
public final class Checksum {
  static final long PIECE_BYTES = 16L << 20;

  /** Never started: it only asks whether a segment is confined to one thread. */
  private static final Thread ANOTHER_THREAD = new Thread();

  private Checksum() {}

  /** CRC-32C of all bytes; the segment is shorter than 2 GiB. */
  public static int of(MemorySegment bytes) {
    var crc = new CRC32C();
    crc.update(bytes.asByteBuffer());
    return (int) crc.getValue();
  }

  static long numPieces(long length) {
    return (length + PIECE_BYTES - 1) / PIECE_BYTES;
  }

  static int ofPiece(MemorySegment section, long piece) {
    long from = piece * PIECE_BYTES;
    return of(section.asSlice(from, Math.min(PIECE_BYTES, section.byteSize() - from)));
  }

  static int ofPieces(int[] pieces, int numPieces) {
    var bytes = ByteBuffer.allocate(4 * numPieces).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < numPieces; i++) {
      bytes.putInt(pieces[i]);
    }
    return of(MemorySegment.ofArray(bytes.array()));
  }

  /** The checksum of a whole section; all cores work if the memory may be read from any thread. */
  public static int ofSection(MemorySegment section) {
    var numbers = LongStream.range(0, numPieces(section.byteSize()));
    boolean shared = section.isAccessibleBy(ANOTHER_THREAD);
    int[] pieces =
        (shared ? numbers.parallel() : numbers)
            .mapToInt(piece -> ofPiece(section, piece))
            .toArray();
    return ofPieces(pieces, pieces.length);
  }
}
