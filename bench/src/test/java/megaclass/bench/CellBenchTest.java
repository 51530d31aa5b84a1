// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import megaclass.train.TrainConfig;
import org.junit.jupiter.api.Test;

class CellBenchTest {
  @Test
  void theLastBatchOfAnEpochMayBeSmaller() {
    // 10 examples in batches of 4: 4, 4, 2, 4, 4, 2, ...
    assertEquals(0, CellBench.samples(0, 10, 4));
    assertEquals(8, CellBench.samples(2, 10, 4));
    assertEquals(10, CellBench.samples(3, 10, 4));
    assertEquals(24, CellBench.samples(7, 10, 4));
  }

  @Test
  void aCellSpellsItsSettingsOut() {
    var cell =
        new Cell(
            1000,
            64,
            "uniform(0.1)",
            "cosface(margin=0.3)",
            "adagrad",
            "bf16",
            100_000,
            256,
            2,
            "auto",
            42);
    assertEquals("uniform(0.1, corrected=false)", cell.selector());
    assertEquals("cosface(scale=64, margin=0.3)", cell.loss());
    assertEquals("adagrad(epsilon=1e-8)", cell.optimizer());
  }

  @Test
  void theForecastOfACellCountsItsData() {
    var cell =
        new Cell(
            100_000,
            128,
            "all",
            "normsoftmax",
            "adagrad",
            "fp32",
            TrainConfig.ALL_IN_MEMORY,
            256,
            1,
            "auto",
            42);
    long data = 100_000L * 4 * 128;
    long weights = 100_000L * 4 * 128;
    assertTrue(cell.plannedBytes() > data + weights);
    assertTrue(cell.plannedBytes() < data + weights + (400L << 20));
  }
}
