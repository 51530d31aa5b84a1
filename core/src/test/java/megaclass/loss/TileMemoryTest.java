// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TileMemoryTest {
  @ParameterizedTest
  @CsvSource({"1, 1", "1, 128", "1, 129", "512, 1000000", "512, 2147483647", "5000, 2147483520"})
  void tilesAndChunksCoverAllActiveClasses(int batch, int numActive) {
    try (var memory = new TileMemory(batch, 1, 1)) {
      TileMemory.Tiles tiles = memory.plan(batch, numActive, 0);
      int last = tiles.numTiles() - 1;
      assertEquals(numActive, (long) last * tiles.tileRows() + tiles.rows(last));
      assertEquals(0, tiles.firstTile(0));
      assertEquals(tiles.numTiles(), tiles.firstTile(tiles.numChunks()));
    }
  }
}
