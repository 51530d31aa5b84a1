// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class CurriculumClassesTest {
  private static final long SEED = 5;

  @Test
  void uniformClassesComeFirstAndThenThoseOfAnIndexOverTheWeightsOfThatTime() {
    try (var problem = Problem.random(200, 20, 9, 3);
        var selector = problem.selector("ivf(0.3) + curriculum(2)", true, SEED);
        var uniform = problem.selector("uniform(0.3, corrected=true)", true, SEED);
        var ivf = problem.selector("ivf(0.3)", true, SEED)) {
      selector.begin();
      for (long step = 0; step < 2; step++) {
        assertSame(problem.select(uniform, step), problem.select(selector, step));
        problem.weights.matrix().set(7, 3, 2f);
        selector.moved(7, 0); // nothing is there yet that would have to know
        selector.endStep(step);
      }
      ivf.begin();
      assertSame(problem.select(ivf, 2), problem.select(selector, 2));
      int[] drawn = Problem.ids(problem.select(uniform, 2));
      assertFalse(Arrays.equals(drawn, Problem.ids(problem.select(selector, 2))));
    }
  }

  private static void assertSame(ActiveClasses expected, ActiveClasses actual) {
    assertArrayEquals(Problem.ids(expected), Problem.ids(actual));
    assertArrayEquals(Problem.logWeights(expected), Problem.logWeights(actual));
  }
}
