// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The sort of the device against that of the JDK, which is stable too. */
class DeviceSortTest {
  @ParameterizedTest
  @CsvSource({
    "1, 1",
    "31, 2",
    "32, 256",
    "33, 257",
    "1000, 3",
    "4096, 65537",
    "4097, 1000",
    "9000, 2147483647",
  })
  void pairsOfEqualKeysStayInOrder(int n, int numKeys) {
    var random = new SplittableRandom(n);
    int[] keys = random.ints(n, 0, numKeys).toArray();
    int[] values = IntStream.range(0, n).toArray();
    int[] order =
        IntStream.range(0, n)
            .boxed()
            .sorted(Comparator.comparingInt(i -> keys[i]))
            .mapToInt(i -> i)
            .toArray();
    try (Device device = HostCuda.open();
        var _ = HostCuda.bothOrders();
        var sort = new DeviceSort(device);
        var sortedKeys = DeviceArrays.upload(device, keys);
        var sortedValues = DeviceArrays.upload(device, values)) {
      sort.sort(sortedKeys, sortedValues, n, numKeys);
      assertArrayEquals(order, DeviceArrays.ints(device, sortedValues, n));
      Arrays.sort(keys);
      assertArrayEquals(keys, DeviceArrays.ints(device, sortedKeys, n));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 31, 8191, 8192, 8193, 20000})
  void sumsAreOfWhatComesBefore(int n) {
    int[] values = new SplittableRandom(n).ints(n, 0, 1000).toArray();
    int[] expected = new int[n];
    int sum = 0;
    for (int i = 0; i < n; i++) {
      expected[i] = sum;
      sum += values[i];
    }
    try (Device device = HostCuda.open();
        var _ = HostCuda.bothOrders();
        var sort = new DeviceSort(device);
        var sums = DeviceArrays.upload(device, values);
        var total = device.allocate(8)) {
      sort.sumsBefore(sums, n, total, 1);
      assertArrayEquals(expected, DeviceArrays.ints(device, sums, n));
      assertEquals(sum, DeviceArrays.ints(device, total, 2)[1]);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 32, 1000})
  void runsAreFoundAndMissingKeysAreNot(int n) {
    int numKeys = 40;
    int[] keys =
        new SplittableRandom(n).ints(n, 0, numKeys + 3).filter(k -> k != 5).sorted().toArray();
    try (Device device = HostCuda.open();
        var _ = HostCuda.bothOrders();
        var sort = new DeviceSort(device);
        var sorted = DeviceArrays.upload(device, keys);
        var starts = device.allocate(4L * numKeys);
        var ends = device.allocate(4L * numKeys)) {
      sort.findRuns(sorted, keys.length, numKeys, starts, ends);
      for (int key = 0; key < numKeys; key++) {
        int k = key;
        int before = (int) Arrays.stream(keys).filter(other -> other < k).count();
        int length = (int) Arrays.stream(keys).filter(other -> other == k).count();
        assertEquals(length == 0 ? 0 : before, DeviceArrays.ints(device, starts, numKeys)[k]);
        assertEquals(
            length == 0 ? 0 : before + length, DeviceArrays.ints(device, ends, numKeys)[k]);
      }
    }
  }
}
