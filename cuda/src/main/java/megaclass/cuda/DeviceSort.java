// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

/**
 * A stable sort of pairs of ints by key, and prefix sums: the kernels of {@code sort.cu}. Calls
 * return before the device is done. Used by the thread of its device.
 */
final class DeviceSort implements AutoCloseable {
  private static final int BLOCK = 256;
  private static final int SUMS_BLOCK = 1024;
  private static final int KEYS_PER_BLOCK = 4096;
  private static final int DIGIT_BITS = 8;

  private final Device device;
  private final Kernel sumsBefore;
  private final Kernel countDigits;
  private final Kernel moveByDigit;
  private final Kernel findRuns;
  private final DeviceScratch counts;
  private final DeviceScratch otherKeys;
  private final DeviceScratch otherValues;
  private final DeviceBuffer unusedTotal;

  DeviceSort(Device device) {
    this.device = device;
    sumsBefore = device.kernel("sort", "sums_before");
    countDigits = device.kernel("sort", "count_digits");
    moveByDigit = device.kernel("sort", "move_by_digit");
    findRuns = device.kernel("sort", "find_runs");
    counts = new DeviceScratch(device);
    otherKeys = new DeviceScratch(device);
    otherValues = new DeviceScratch(device);
    unusedTotal = device.allocate(Integer.BYTES);
  }

  /**
   * Sorts pairs in place; those of equal keys stay in the order they came.
   *
   * @param keys (n) ints in [0, numKeys)
   * @param values (n) ints or floats
   */
  void sort(DeviceBuffer keys, DeviceBuffer values, int n, int numKeys) {
    if (n == 0) {
      return;
    }
    int bits = Integer.SIZE - Integer.numberOfLeadingZeros(numKeys - 1);
    DeviceBuffer fromKeys = keys;
    DeviceBuffer fromValues = values;
    DeviceBuffer intoKeys = otherKeys.words(n);
    DeviceBuffer intoValues = otherValues.words(n);
    for (int shift = 0; shift < bits; shift += DIGIT_BITS) {
      moveByDigit(fromKeys, fromValues, n, shift, intoKeys, intoValues);
      DeviceBuffer lastKeys = fromKeys;
      DeviceBuffer lastValues = fromValues;
      fromKeys = intoKeys;
      fromValues = intoValues;
      intoKeys = lastKeys;
      intoValues = lastValues;
    }
    if (fromKeys != keys) {
      device.copy(fromKeys, 0, keys, 0, 4L * n);
      device.copy(fromValues, 0, values, 0, 4L * n);
    }
  }

  private void moveByDigit(
      DeviceBuffer keys,
      DeviceBuffer values,
      int n,
      int shift,
      DeviceBuffer keysInto,
      DeviceBuffer valuesInto) {
    int blocks = Math.ceilDiv(n, KEYS_PER_BLOCK);
    int numCounts = blocks << DIGIT_BITS;
    DeviceBuffer places = counts.words(numCounts);
    countDigits.launch(blocks, 1, BLOCK, 0, keys.address(), n, shift, places.address());
    sumsBefore(places, numCounts, unusedTotal, 0);
    moveByDigit.launch(
        blocks,
        1,
        BLOCK,
        0,
        keys.address(),
        values.address(),
        n,
        shift,
        places.address(),
        keysInto.address(),
        valuesInto.address());
  }

  /**
   * Replaces each value by the sum of those before it.
   *
   * @param values (n) ints whose sum is an int
   * @param total receives the sum of all, as int {@code index} of it
   */
  void sumsBefore(DeviceBuffer values, int n, DeviceBuffer total, int index) {
    sumsBefore.launch(1, 1, SUMS_BLOCK, 0, values.address(), n, total.address() + 4L * index);
  }

  /**
   * Finds where each key stands in sorted keys.
   *
   * @param keys (n) ints, ascending; those of at least {@code numKeys} are skipped
   * @param starts (numKeys) ints: the first place of each key that occurs; others stay
   * @param ends (numKeys) ints: one behind the last place
   */
  void findRuns(DeviceBuffer keys, int n, int numKeys, DeviceBuffer starts, DeviceBuffer ends) {
    if (n > 0) {
      findRuns.launch(
          Math.ceilDiv(n, BLOCK),
          1,
          BLOCK,
          0,
          keys.address(),
          n,
          numKeys,
          starts.address(),
          ends.address());
    }
  }

  @Override
  public void close() {
    counts.close();
    otherKeys.close();
    otherValues.close();
    unusedTotal.close();
  }
}
