// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import megaclass.compute.NativeMemory;
import megaclass.internal.LittleEndian;

/** A number in the state of a selector, as checkpoints keep it. */
final class SavedInt {
  private SavedInt() {}

  static MemorySegment of(int value) {
    MemorySegment saved = NativeMemory.allocate(Integer.BYTES, Arena.ofAuto());
    saved.set(LittleEndian.INT, 0, value);
    return saved;
  }

  static int value(MemorySegment saved) {
    return saved.get(LittleEndian.INT, 0);
  }
}
