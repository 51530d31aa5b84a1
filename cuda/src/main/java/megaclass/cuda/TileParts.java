// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import megaclass.cuda.DeviceChoice.Chosen;
import megaclass.cuda.DeviceChoice.Group;
import megaclass.cuda.SoftmaxKernels.Samples;

/**
 * Cuts the active classes of a batch in tiles, and those of its groups in the same tiles: ids
 * ascend, so a tile holds a stretch of each group's classes. All groups go through a tile before
 * the next one, so that gradients of its rows need be added up for one tile only. Used by the
 * thread of its device.
 */
final class TileParts implements AutoCloseable {
  private static final int BLOCK = 256;

  private final Device device;
  private final Kernel tileStarts;
  private final DeviceScratch starts;

  TileParts(Device device) {
    this.device = device;
    tileStarts = device.kernel("select", "tile_starts");
    starts = new DeviceScratch(device);
  }

  /**
   * All parts of a batch, tile by tile, within a tile group by group.
   *
   * @param batch samples of it
   * @param classes in a tile
   */
  List<TilePart> of(Chosen chosen, int batch, int classes) {
    int numTiles = Math.ceilDiv(chosen.numActive(), classes);
    if (chosen.groups().isEmpty()) {
      int[] first = new int[numTiles];
      Arrays.setAll(first, tile -> classes * tile);
      return parts(List.of(new Group(0, batch, chosen)), first, numTiles);
    }
    return parts(chosen.groups(), starts(chosen, numTiles, classes), numTiles);
  }

  /**
   * Where tiles begin in the classes of each group.
   *
   * @return (groups, numTiles)
   */
  private int[] starts(Chosen chosen, int numTiles, int classes) {
    List<Group> groups = chosen.groups();
    int count = groups.size() * numTiles;
    DeviceBuffer into = starts.words(count);
    for (int g = 0; g < groups.size(); g++) {
      Chosen own = groups.get(g).chosen();
      tileStarts.launch(
          Math.ceilDiv(numTiles, BLOCK),
          1,
          BLOCK,
          0,
          own.rows(0, own.numActive()).ids(),
          own.numActive(),
          chosen.rows(0, chosen.numActive()).ids(),
          numTiles,
          classes,
          into.address() + 4L * g * numTiles);
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(JAVA_INT, count);
      device.download(into, 0, host);
      return host.toArray(JAVA_INT);
    }
  }

  private static List<TilePart> parts(List<Group> groups, int[] starts, int numTiles) {
    List<TilePart> parts = new ArrayList<>();
    for (int tile = 0; tile < numTiles; tile++) {
      for (int g = 0; g < groups.size(); g++) {
        Group group = groups.get(g);
        Chosen chosen = group.chosen();
        int from = starts[g * numTiles + tile];
        int to = tile + 1 < numTiles ? starts[g * numTiles + tile + 1] : chosen.numActive();
        if (from < to) {
          long targets = chosen.targetPositions().address();
          var samples = new Samples(group.from(), group.count(), targets);
          parts.add(new TilePart(samples, chosen, tile, from, to - from));
        }
      }
    }
    return parts;
  }

  @Override
  public void close() {
    starts.close();
  }
}
