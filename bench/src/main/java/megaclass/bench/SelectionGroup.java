// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;

/**
 * Runs that differ by their seed only.
 *
 * @param cell with seed 0
 * @param runs at least one, by seed
 */
record SelectionGroup(SelectionCell cell, List<SelectionRun> runs) {
  /** The groups of some runs, in the order of the grid. */
  static List<SelectionGroup> of(List<SelectionRun> runs) {
    var groups = new LinkedHashMap<SelectionCell, List<SelectionRun>>();
    for (SelectionRun run : runs) {
      groups.computeIfAbsent(run.cell().withSeed(0), _ -> new ArrayList<>()).add(run);
    }
    var sorted = new ArrayList<SelectionGroup>();
    groups.forEach(
        (cell, group) -> {
          group.sort(Comparator.comparingLong(run -> run.cell().seed()));
          sorted.add(new SelectionGroup(cell, group));
        });
    sorted.sort(
        Comparator.comparing((SelectionGroup group) -> !group.cell.isExact())
            .thenComparingDouble(group -> -group.cell.share())
            .thenComparingInt(group -> SelectionGrid.METHODS.indexOf(group.cell.method()))
            .thenComparingInt(group -> group.cell.lengths()));
    return sorted;
  }

  /** Top-1 at the end, in percent. */
  Spread top1() {
    return spread(run -> 100 * run.tested().top1());
  }

  /** Median of the seconds of training. */
  double seconds() {
    return spread(SelectionRun::seconds).median();
  }

  Spread spread(ToDoubleFunction<SelectionRun> value) {
    return Spread.of(runs.stream().mapToDouble(value).toArray());
  }

  /**
   * Points of top-1 above another group, the median over the seeds that both have: the same
   * held-out examples, and less noise than the difference of two medians. Empty without such a
   * seed.
   */
  OptionalDouble above(SelectionGroup other) {
    double[] differences =
        runs.stream()
            .flatMap(run -> other.ofSeed(run.cell().seed()).map(that -> points(run, that)).stream())
            .mapToDouble(Double::doubleValue)
            .toArray();
    return differences.length == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of(Spread.of(differences).median());
  }

  private static double points(SelectionRun run, SelectionRun other) {
    return 100 * (run.tested().top1() - other.tested().top1());
  }

  private Optional<SelectionRun> ofSeed(long seed) {
    return runs.stream().filter(run -> run.cell().seed() == seed).findFirst();
  }
}
