// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import megaclass.loss.Loss;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SelectionGridTest {
  @ParameterizedTest
  @EnumSource(SelectionData.class)
  void whatIsMeasuredUntilARunIsCutIsBalancedOverTheSeeds(SelectionData data) {
    var cells = SelectionGrid.cells(data, 3);
    assertEquals(cells.size(), new HashSet<>(cells).size());
    int third = cells.size() / 3;
    for (int i = 0; i < cells.size(); i++) {
      assertEquals(1 + i / third, cells.get(i).seed());
      assertEquals(cells.get(i % third), cells.get(i).withSeed(1));
    }
  }

  @ParameterizedTest
  @EnumSource(SelectionData.class)
  void everyLossIsOneThatTheLibraryReads(SelectionData data) {
    data.losses().forEach(Loss::parse);
    assertTrue(data.losses().getFirst().startsWith("normsoftmax("), data.losses()::toString);
  }

  @Test
  void aShareOfFewerClassesThanABatchHasTargetsIsLeftOut() {
    assertEquals(List.of(0.1, 0.01, 0.001), SelectionGrid.shares(SelectionData.LEMMAS));
    assertEquals(List.of(0.1, 0.01), SelectionGrid.shares(SelectionData.PLANTED_100K));
    assertEquals(List.of(0.01, 0.001), SelectionGrid.shares(SelectionData.PLANTED_1M));
  }

  @Test
  void theShareStandsInTheTextOfTheSelector() {
    var cell = new SelectionCell("lemmas", "softmax", "ivf(r) + tail(0.25)", 0.001, 1, 7);
    assertEquals("ivf(0.001) + tail(0.25)", cell.selector());
    assertFalse(cell.isExact());
    assertEquals("all", new SelectionCell("lemmas", "softmax", "all", 1, 1, 7).selector());
  }

  @Test
  void aDataSetIsFoundByItsName() {
    assertEquals(SelectionData.PLANTED_1M, SelectionData.of("planted-1m"));
    var e = assertThrows(IllegalArgumentException.class, () -> SelectionData.of("faces"));
    assertEquals(
        "there is no data set \"faces\"; expected one of planted-100k, planted-1m, lemmas,"
            + " geonames, bible",
        e.getMessage());
  }
}
