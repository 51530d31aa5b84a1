// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What the comparison of selectors consists of: the one place that lists the methods. */
final class SelectionGrid {
  /** Every way to select that is compared to the exact softmax; {@code r} is the share. */
  static final List<String> METHODS =
      List.of(
          "uniform(r)",
          "uniform(r, corrected=true)",
          "ivf(r)",
          "ivf(r) + tail(0.25)",
          "ivf(r, coverage=0.99) + tail(0.25)",
          "ivf(r) + tail(0.25) + groups(4)",
          "auto(r)",
          "forest(r)",
          "neighbours(r)");

  /** Shares of all classes. */
  static final List<Double> SHARES = List.of(0.1, 0.01, 0.001);

  /** Uniform sampling also gets so many times the epochs, to be compared at equal seconds. */
  static final int LONG = 3;

  private SelectionGrid() {}

  /** Whether a method is the baseline that others must beat at equal seconds. */
  static boolean isUniform(String method) {
    return method.startsWith("uniform(");
  }

  /**
   * The runs on one data set. Those of one seed follow each other, so that what was measured until
   * a run is cut is balanced.
   *
   * @param numSeeds runs of each
   */
  static List<SelectionCell> cells(SelectionData data, int numSeeds) {
    var cells = new ArrayList<SelectionCell>();
    for (int seed = 1; seed <= numSeeds; seed++) {
      for (String loss : data.losses()) {
        addCells(data, loss, seed, cells::add);
      }
    }
    return cells;
  }

  private static void addCells(
      SelectionData data, String loss, long seed, Consumer<SelectionCell> into) {
    if (isExactMeasured(data)) {
      into.accept(new SelectionCell(data.toString(), loss, SelectionCell.EXACT, 1, 1, seed));
    }
    for (double share : shares(data)) {
      for (String method : METHODS) {
        into.accept(new SelectionCell(data.toString(), loss, method, share, 1, seed));
        if (isUniform(method) && share < 0.1) {
          into.accept(new SelectionCell(data.toString(), loss, method, share, LONG, seed));
        }
      }
    }
  }

  /** Of a million classes it would take hours. */
  static boolean isExactMeasured(SelectionData data) {
    return data != SelectionData.PLANTED_1M;
  }

  /**
   * The shares that mean something: of fewer classes than a batch has samples, the targets alone
   * are more. A tenth of a million classes takes as long as 100 000 exactly, which tells the same.
   */
  static List<Double> shares(SelectionData data) {
    return SHARES.stream()
        .filter(share -> share * data.numClasses() > SelectionData.BATCH_SIZE)
        .filter(share -> share * data.numClasses() < 100_000)
        .toList();
  }
}
