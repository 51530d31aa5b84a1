// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.List;

/**
 * A result file: everything that was measured by one command, and all that the numbers depend on.
 *
 * @param version of this format
 * @param date when it began, in UTC, as 2026-11-21T20:15:00Z
 * @param command as it was given
 * @param quick whether it only shows that the benchmark works; such numbers compare to nothing
 * @param complete false while the command runs, and for ever when it was ended early
 * @param cells of the grid with the runs of each
 * @param kernelRuns of all fresh JVMs, one after the other
 */
record BenchResult(
    int version,
    String date,
    String command,
    boolean quick,
    boolean complete,
    Machine machine,
    Program program,
    List<CellResult> cells,
    List<KernelRun> kernelRuns) {
  static final int VERSION = 1;

  /**
   * A cell and what each fresh JVM measured of it.
   *
   * @param runs one a repeat, in the order in which they were made
   * @param leftOut why there are none, or ""
   */
  record CellResult(Cell cell, List<CellRun> runs, String leftOut) {}
}
