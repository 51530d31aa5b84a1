// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How many classes are active, as the softmax is flat or steep. */
class AdaptiveClassesTest {
  private static final int NUM_CLASSES = 600;

  /** With inner products of short rows the softmax is flat: half of it takes half the classes. */
  @ParameterizedTest
  @CsvSource({"literal, 300", "reachable, 18"})
  void aFlatSoftmaxTakesAllThatIsAllowedOrTheFewest(String policy, int expected) {
    String spec = "ivf(0.5) + adaptive(0.9, probeEvery=2, policy=" + policy + ")";
    assertEquals(expected, activeAfterSteps(spec, false), 2.0);
  }

  /** One class in 600 that holds nearly all: its own direction, at scale 200. */
  @Test
  void aSteepSoftmaxTakesTheFewest() {
    String spec = "ivf(0.5) + adaptive(0.5, probeEvery=1, policy=literal)";
    assertEquals(18, activeAfterSteps(spec, true), 2.0);
  }

  private static int activeAfterSteps(String spec, boolean steep) {
    try (var problem = Problem.random(NUM_CLASSES, 20, 9, 3);
        var selector =
            ClassSelector.of(
                SelectorSpec.parse(spec),
                new SelectionProblem(
                    problem.weights, steep, steep ? 200 : 1, 9, 1, problem.engine))) {
      selector.begin();
      int first = problem.select(selector, 0).numActive();
      assertTrue(first > 100, "at first all that is allowed is active, but was " + first);
      for (int step = 0; step < 30; step++) {
        problem.select(selector, step);
        selector.endStep(step);
      }
      return problem.select(selector, 30).numActive();
    }
  }

  @Test
  void onlyWhatHasAnIndexCanAdapt() {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> SelectorSpec.parse("uniform(0.1) + adaptive(0.9)"));
    String expected =
        "adaptive needs a selector with an index, ivf or forest, but got uniform(0.1,"
            + " corrected=false); other additions come behind it";
    assertTrue(String.valueOf(e.getMessage()).contains(expected), e.getMessage());
  }
}
