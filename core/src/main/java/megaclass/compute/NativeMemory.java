// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * Zeroed off-heap memory, on huge pages where the system offers them.
 *
 * <p>Random rows of a large matrix cost a page-table walk each; 2 MiB pages made gather and update
 * mostly 1.1-1.8x faster than 4 KiB pages. {@link Arena#allocate} touches its pages before anyone
 * can advise the kernel, so large blocks are mapped, advised and only then touched.
 */
public final class NativeMemory {
  /** All of the address space: kernels read and write by raw address through it, unchecked. */
  static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final long HUGE_PAGE = 2L << 20;
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
  private static final int MADV_HUGEPAGE = 14;
  private static final int MADV_WILLNEED = 3;

  /** Pages are at least so large; asking for more than is needed does no harm. */
  private static final long PAGE = 4096;

  private static final @Nullable Pages PAGES = Pages.find();

  private NativeMemory() {}

  /**
   * Allocates zeroed memory that lives as long as {@code arena}.
   *
   * @param bytes size, at least 0
   * @return a segment aligned to 64 bytes; to 2 MiB, and advised to use huge pages, when it is
   *     large and the system is Linux
   * @throws OutOfMemoryError when the system refuses
   */
  public static MemorySegment allocate(long bytes, Arena arena) {
    if (PAGES == null || bytes < HUGE_PAGE) {
      return arena.allocate(bytes, 64);
    }
    return PAGES.allocate(bytes, arena);
  }

  /** Asks the system to read mapped bytes of a file ahead of their use; it may not. */
  static void willNeed(long address, long bytes) {
    if (PAGES != null) {
      long from = address & -PAGE;
      PAGES.advise(from, address + bytes - from, MADV_WILLNEED);
    }
  }

  /** mmap, madvise and munmap of the C library; constants are Linux's. */
  private record Pages(MethodHandle mmap, MethodHandle madvise, MethodHandle munmap) {
    static @Nullable Pages find() {
      if (!System.getProperty("os.name").startsWith("Linux")) {
        return null;
      }
      Linker linker = Linker.nativeLinker();
      SymbolLookup lookup = linker.defaultLookup();
      var address = ValueLayout.ADDRESS;
      var size = ValueLayout.JAVA_LONG;
      var word = ValueLayout.JAVA_INT;
      return new Pages(
          linker.downcallHandle(
              lookup.findOrThrow("mmap"),
              FunctionDescriptor.of(address, address, size, word, word, word, size)),
          linker.downcallHandle(
              lookup.findOrThrow("madvise"), FunctionDescriptor.of(word, address, size, word)),
          linker.downcallHandle(
              lookup.findOrThrow("munmap"), FunctionDescriptor.of(word, address, size)));
    }

    MemorySegment allocate(long bytes, Arena arena) {
      long mapped = bytes + HUGE_PAGE;
      try {
        var start =
            (MemorySegment)
                mmap.invokeExact(
                    MemorySegment.NULL, mapped, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
        if (start.address() == -1) {
          throw new OutOfMemoryError(
              "the system has no %,d MiB of memory left; take a smaller dim, fewer classes or an"
                      .formatted(bytes >> 20)
                  + " optimizer without momentum (see `megaclass plan`)");
        }
        long aligned = (start.address() + HUGE_PAGE - 1) & -HUGE_PAGE;
        advise(aligned, bytes, MADV_HUGEPAGE);
        return MemorySegment.ofAddress(aligned)
            .reinterpret(bytes, arena, _ -> unmap(start, mapped));
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException("mmap could not be called: " + e, e);
      }
    }

    /** A refusal is no error: the memory is only slower. */
    void advise(long address, long bytes, int advice) {
      try {
        int _ = (int) madvise.invokeExact(MemorySegment.ofAddress(address), bytes, advice);
      } catch (Throwable e) {
        throw new IllegalStateException("madvise could not be called: " + e, e);
      }
    }

    private void unmap(MemorySegment start, long bytes) {
      try {
        int _ = (int) munmap.invokeExact(start, bytes);
      } catch (Throwable e) {
        throw new IllegalStateException("munmap could not be called: " + e, e);
      }
    }
  }
}
