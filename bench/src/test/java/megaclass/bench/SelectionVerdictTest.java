// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SelectionVerdictTest {
  private final List<SelectionRun> runs = new ArrayList<>();

  /** Adds runs with the seeds 1, 2, ... that reached so many percent. */
  private void add(String method, double share, int lengths, double seconds, double... top1) {
    for (int seed = 1; seed <= top1.length; seed++) {
      runs.add(
          new SelectionRun(
              new SelectionCell("lemmas", "softmax", method, share, lengths, seed),
              List.of(),
              "2026-11-22T01:00:00Z",
              "0123456789ab",
              "a machine",
              "scalar",
              1000,
              new SelectionRun.Tested(100, top1[seed - 1] / 100, 1, 0.1),
              100,
              seconds,
              1,
              List.of(),
              null,
              Map.of()));
    }
  }

  private List<String> verdict() {
    return SelectionVerdict.of(SelectionGroup.of(runs));
  }

  @Test
  void nearnessIsTheMedianOfWhatSeedsWithTheSameExamplesDifferBy() {
    add("all", 1, 1, 100, 80, 90, 85);
    add("uniform(r)", 0.1, 1, 10, 79, 89.95, 84.9); // -1, -0.05, -0.1
    add("ivf(r)", 0.1, 1, 10, 79.95, 89, 84.5); // -0.05, -1, -0.5
    add("ivf(r)", 0.01, 1, 10, 79, 89.6, 84.9);
    assertEquals(
        List.of(
            "Within 0.1 point of exact softmax at 10 %: `uniform(r)` -0.10; not `ivf(r)` -0.50.",
            "Within 0.5 point of exact softmax at 1 %: `ivf(r)` -0.40."),
        verdict());
  }

  @Test
  void seedsThatExactSoftmaxDidNotRunAreNotCompared() {
    add("all", 1, 1, 100, 80);
    add("ivf(r)", 0.1, 1, 10, 79, 95, 95);
    assertEquals(
        List.of("Within 0.1 point of exact softmax at 10 %: none; not `ivf(r)` -1.00."), verdict());
  }

  @Test
  void atEqualSecondsUniformGetsAsManyEpochsAsFitIntoThem() {
    add("uniform(r)", 0.01, 1, 10, 70);
    add("uniform(r)", 0.01, 3, 40, 80);
    add("ivf(r)", 0.01, 1, 20, 76); // uniform, in the middle of the two by the log of time: 75
    add("forest(r)", 0.01, 1, 80, 79); // longer than any: as the longest
    add("neighbours(r)", 0.01, 1, 5, 70.5); // shorter than any: as the shortest
    assertEquals(
        List.of(
            "Better than uniform sampling of 1 % in the same seconds: `ivf(r)` +1.00,"
                + " `neighbours(r)` +0.50; not `forest(r)` -1.00."),
        verdict());
  }

  @Test
  void theBetterKindOfUniformSamplingIsTheOneToBeat() {
    add("uniform(r)", 0.001, 1, 10, 70);
    add("uniform(r, corrected=true)", 0.001, 1, 10, 77);
    add("ivf(r)", 0.001, 1, 20, 76);
    assertEquals(
        List.of(
            "Better than uniform sampling of 0.1 % in the same seconds: none; not `ivf(r)` -1.00."),
        verdict());
  }
}
