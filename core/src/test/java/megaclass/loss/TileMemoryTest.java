// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TileMemoryTest {
  @ParameterizedTest
  @CsvSource({"1, 1", "1, 128", "1, 129", "512, 1000000", "512, 2147483647", "5000, 2147483520"})
  void tilesAndChunksCoverAllActiveClasses(int batch, int numActive) {
    try (var memory = new TileMemory(batch, 1, 1_000_000, 1)) {
      TileMemory.Tiles tiles = memory.plan(batch, numActive, 0);
      int last = tiles.numTiles() - 1;
      assertEquals(numActive, (long) last * tiles.tileRows() + tiles.rows(last));
      assertEquals(0, tiles.firstTile(0));
      assertEquals(tiles.numTiles(), tiles.firstTile(tiles.numChunks()));
    }
  }

  @ParameterizedTest
  @CsvSource({"64, 1000, 8", "1, 17, 4096", "100, 40000, 20", "5000, 30, 300"})
  void partsOfABatchKeepTheirTilesBesideEachOtherUntilNoneFits(int size, int numActive, int parts) {
    try (var memory = new TileMemory(size, 1, 1_000_000, 1)) {
      long keptFrom = 0;
      long end = memory.logits(0, 0, memory.plan(size, 1, 0));
      long offsetsEnd = memory.keptOffsets(0, memory.plan(size, 1, 0));
      long firstOffset = offsetsEnd;
      for (int part = 0; part < parts; part++) {
        TileMemory.Tiles tiles = memory.plan(size, numActive, keptFrom);
        for (int tile = 0; tile < tiles.numKept(); tile++) {
          assertEquals(end, memory.logits(tile, 0, tiles));
          assertTrue(memory.keptOffsets(tile, tiles) >= offsetsEnd);
          end += 256L * tiles.numPanels() * tiles.tileRows();
          offsetsEnd = memory.keptOffsets(tile, tiles) + 256L * tiles.numPanels();
        }
        keptFrom = tiles.keptTo();
      }
      assertTrue(end <= firstOffset, "kept logits end where their offsets begin");
      assertTrue(offsetsEnd <= memory.logSumExps(), "the offsets end before log Z");
    }
  }
}
