// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;

/** Inverted lists of a device, copied to arrays, whose invariants are checked. */
final class StoredLists {
  final int[] listOf;
  final int[] slotOf;
  final int[] sizes;
  final int[] firstBlocks;
  final int[] classIds;
  private final int[] codes;
  private final float[] factors;
  private final int words;

  StoredLists(Device device, DeviceLists lists, int numLists, int numClasses, int words) {
    this.words = words;
    listOf = DeviceArrays.ints(device, lists.listOf(), numClasses);
    slotOf = DeviceArrays.ints(device, lists.slotOf(), numClasses);
    sizes = DeviceArrays.ints(device, lists.sizes(), numLists);
    firstBlocks = DeviceArrays.ints(device, lists.firstBlocks(), numLists + 1);
    int slots = 32 * firstBlocks[numLists];
    classIds = DeviceArrays.ints(device, lists.classIds(), slots);
    codes = DeviceArrays.ints(device, lists.codes(), slots * words);
    factors = DeviceArrays.floats(device, lists.factors(), slots);
    check();
  }

  /** Every class stands in the first slots of its list, and nothing else does. */
  private void check() {
    assertEquals(listOf.length, Arrays.stream(sizes).sum());
    int taken = 0;
    for (int list = 0; list < sizes.length; list++) {
      for (int slot = 32 * firstBlocks[list]; slot < 32 * firstBlocks[list + 1]; slot++) {
        if (slot < 32 * firstBlocks[list] + sizes[list]) {
          assertEquals(list, listOf[classIds[slot]]);
          assertEquals(slot, slotOf[classIds[slot]]);
          taken++;
        } else {
          assertEquals(-1, classIds[slot]);
        }
      }
    }
    assertEquals(listOf.length, taken);
  }

  int[] code(int classId) {
    int slot = slotOf[classId];
    int[] code = new int[words];
    Arrays.setAll(code, h -> codes[slot / 32 * 32 * words + 32 * h + slot % 32]);
    return code;
  }

  float factor(int classId) {
    return factors[slotOf[classId]];
  }
}
