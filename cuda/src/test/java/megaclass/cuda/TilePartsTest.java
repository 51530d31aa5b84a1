// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.IntStream;
import megaclass.cuda.DeviceChoice.Chosen;
import megaclass.cuda.DeviceChoice.Group;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TilePartsTest {
  @ParameterizedTest
  @CsvSource({"1, 8", "8, 8", "9, 8", "1000, 16"})
  void aBatchWithoutGroupsGoesThroughInTiles(int numActive, int classes) {
    try (Device device = HostCuda.open();
        var tiles = new TileParts(device);
        var positions = device.allocate(4)) {
      var chosen = new Chosen(null, numActive, positions, null);
      int next = 0;
      for (TilePart part : tiles.of(chosen, 5, classes)) {
        assertEquals(next, part.first());
        assertEquals(next / classes, part.tile());
        assertEquals(Math.min(classes, numActive - next), part.count());
        assertEquals(5, part.samples().count());
        next += part.count();
        assertEquals(next == numActive, part.endsClasses());
      }
      assertEquals(numActive, next);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 8", "2, 40, 8", "5, 300, 16", "7, 90, 10000", "3, 3000, 8"})
  void eachGroupHasItsClassesOfEachTile(int numGroups, int numClasses, int classes) {
    var random = new SplittableRandom(numGroups);
    List<TreeSet<Integer>> lists = new ArrayList<>();
    for (int g = 0; g < numGroups; g++) {
      int from = g % 2 == 0 ? 0 : numClasses / 2; // so that some have nothing in the first tiles
      var list = new TreeSet<Integer>();
      random.ints(numClasses / 3 + 1, from, numClasses).forEach(list::add);
      lists.add(list);
    }
    int[] all =
        lists.stream().flatMap(TreeSet::stream).mapToInt(id -> id).distinct().sorted().toArray();
    try (Device device = HostCuda.open();
        var tiles = new TileParts(device);
        var positions = device.allocate(4)) {
      List<Group> groups =
          IntStream.range(0, numGroups)
              .mapToObj(g -> new Group(3 * g, 3, chosen(device, lists.get(g), positions)))
              .toList();
      DeviceBuffer allIds = DeviceArrays.upload(device, all);
      var chosen = new Chosen(allIds, all.length, positions, null, groups);
      List<String> expected = new ArrayList<>();
      for (int from = 0; from < all.length; from += classes) {
        int after = from + classes < all.length ? all[from + classes] : numClasses;
        for (int g = 0; g < numGroups; g++) {
          int first = lists.get(g).headSet(all[from]).size();
          int count = lists.get(g).headSet(after).size() - first;
          if (count > 0) {
            expected.add("%d %d %d %d".formatted(from / classes, 3 * g, first, count));
          }
        }
      }
      List<String> actual =
          tiles.of(chosen, 3 * numGroups, classes).stream()
              .map(p -> "%d %d %d %d".formatted(p.tile(), p.samples().from(), p.first(), p.count()))
              .toList();
      assertEquals(expected, actual);
    }
  }

  private static Chosen chosen(Device device, Set<Integer> classIds, DeviceBuffer positions) {
    int[] ids = classIds.stream().mapToInt(id -> id).toArray();
    return new Chosen(DeviceArrays.upload(device, ids), ids.length, positions, null);
  }
}
