// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Off-heap memory, small and on huge pages. */
class NativeMemoryTest {
  private static final long HUGE_PAGE = 2L << 20;

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 63, 64, 65, HUGE_PAGE - 1, HUGE_PAGE, HUGE_PAGE + 1, 5_000_003})
  void memoryIsZeroedAlignedAndUsableToItsLastByte(long bytes) {
    for (int round = 0; round < 2; round++) { // the second may get the pages of the first again
      try (var arena = Arena.ofConfined()) {
        MemorySegment memory = NativeMemory.allocate(bytes, arena);
        assertEquals(bytes, memory.byteSize());
        boolean huge = bytes >= HUGE_PAGE && System.getProperty("os.name").startsWith("Linux");
        assertEquals(0, memory.address() % (huge ? HUGE_PAGE : 64));
        assertEquals(-1, memory.mismatch(MemorySegment.ofArray(new byte[(int) memory.byteSize()])));
        memory.fill((byte) 0x5A);
        if (bytes > 0) {
          assertEquals(0x5A, memory.get(JAVA_BYTE, bytes - 1));
        }
      }
    }
  }

  @Test
  void twoBlocksDoNotOverlap() {
    try (var arena = Arena.ofConfined()) {
      MemorySegment first = NativeMemory.allocate(HUGE_PAGE + 100, arena);
      MemorySegment second = NativeMemory.allocate(HUGE_PAGE + 100, arena);
      first.fill((byte) 1);
      second.fill((byte) 2);
      assertEquals(1, first.get(JAVA_BYTE, first.byteSize() - 1));
      assertEquals(1, first.get(JAVA_BYTE, 0));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {100, HUGE_PAGE})
  void memoryEndsWithItsArena(long bytes) {
    var arena = Arena.ofShared();
    MemorySegment memory = NativeMemory.allocate(bytes, arena);
    arena.close();
    assertThrows(IllegalStateException.class, () -> memory.get(JAVA_BYTE, 0));
  }

  @Test
  void moreThanTheSystemHasIsRefusedInASentence() {
    try (var arena = Arena.ofConfined()) {
      var e = assertThrows(OutOfMemoryError.class, () -> NativeMemory.allocate(1L << 52, arena));
      assertEquals(
          "the system has no %,d MiB of memory left; take a smaller dim, fewer classes or an"
                  .formatted(1L << 32)
              + " optimizer without momentum (see `megaclass plan`)",
          e.getMessage());
    }
  }
}
