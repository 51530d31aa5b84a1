// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What devices tell each other, and what becomes of them when one fails. */
class NcclTest {
  private static final int COUNT = 3;

  private final DeviceCrew crew = new DeviceCrew(COUNT);
  private final List<Device> devices = new ArrayList<>();
  private final List<Nccl> connections = new ArrayList<>();

  @BeforeEach
  void open() {
    devices.addAll(crew.onEach(HostCuda::open));
    connections.addAll(Nccl.connect(HostCuda.nccl(), 0, COUNT));
    crew.whenOneFails(() -> connections.forEach(Nccl::abort));
  }

  @AfterEach
  void close() {
    crew.onEach(
        i -> {
          connections.get(i).close();
          devices.get(i).close();
          return i;
        });
    crew.close();
  }

  @Test
  void everyDeviceGetsThePartsOfAllInTheirOrder() {
    for (int time = 1; time <= 2; time++) {
      int first = 10 * time;
      var gathered =
          crew.onEach(
              i -> {
                var device = devices.get(i);
                try (var parts = device.allocate(4 * 2 * COUNT)) {
                  device.fill(parts, 8L * i, 8, first + i);
                  connections.get(i).allGather(device, parts, 2);
                  return DeviceArrays.ints(device, parts, 2 * COUNT);
                }
              });
      int[] expected = {first, first, first + 1, first + 1, first + 2, first + 2};
      gathered.forEach(parts -> assertArrayEquals(expected, parts));
    }
  }

  /** The others would wait for ever; they are let go, and the first failure is what is told. */
  @Test
  void aDeviceThatFailsLetsTheOthersGo() {
    var e =
        assertThrows(
            ArithmeticException.class,
            () ->
                crew.onEach(
                    i -> {
                      if (i == 1) {
                        throw new ArithmeticException("a weight is NaN");
                      }
                      return gathered(i, 4);
                    }));
    assertEquals("a weight is NaN", e.getMessage());
    var later = assertThrows(CudaException.class, () -> crew.onEach(i -> gathered(i, 4)));
    assertEquals("another device of this run has failed", later.getMessage());
  }

  @Test
  void partsOfDifferentSizesAreRefused() {
    var e = assertThrows(CudaException.class, () -> crew.onEach(i -> gathered(i, i == 2 ? 5 : 4)));
    assertTrue(String.valueOf(e.getMessage()).startsWith("ncclAllGather of "), e::toString);
  }

  /** A kernel that is given memory of another device would read it where nothing is. */
  @Test
  void memoryOfAnotherDeviceIsNoArgument() {
    var others = crew.onEach(i -> devices.get(i).allocate(64));
    var e =
        assertThrows(
            CudaException.class,
            () ->
                crew.onEach(
                    i -> {
                      var kernel = devices.get(i).kernel("lists", "number_places");
                      kernel.launch(1, 1, 32, 0, 16, others.get(COUNT - 1 - i).address());
                      devices.get(i).synchronize();
                      return i;
                    }));
    assertTrue(String.valueOf(e.getMessage()).contains(" is memory of device "), e::toString);
  }

  private long gathered(int i, long words) {
    var device = devices.get(i);
    try (var parts = device.allocate(4 * words * COUNT)) {
      connections.get(i).allGather(device, parts, words);
      device.synchronize();
    }
    return words;
  }
}
