// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import megaclass.compute.StageClock.Stage;
import org.junit.jupiter.api.Test;

class StageClockTest {
  private final StageClock clock = new StageClock();

  @Test
  void timeIsThatOfTheStageThatWasEnteredLast() {
    clock.enter(Stage.CATCH_UP);
    pass();
    clock.enter(Stage.LOSS);
    pass();
    assertEquals(List.of("catch up", "loss"), entered());
  }

  @Test
  void workDuringAStageIsOfThatStageWhateverItEnters() {
    clock.during(
        Stage.EVALUATE,
        () -> {
          pass();
          clock.enter(Stage.LOSS);
          pass();
          assertEquals(List.of("evaluate"), entered());
        });
    clock.enter(Stage.SELECT);
    pass();
    assertEquals(List.of("select", "evaluate"), entered());
  }

  @Test
  void workThatFailsHoldsItsStageNoLonger() {
    assertThrows(
        IllegalStateException.class,
        () ->
            clock.during(
                Stage.EVALUATE,
                () -> {
                  throw new IllegalStateException("as a test");
                }));
    clock.enter(Stage.SELECT);
    pass();
    assertTrue(entered().contains("select"));
  }

  private static void pass() {
    long start = System.nanoTime();
    while (System.nanoTime() == start) {
      Thread.onSpinWait();
    }
  }

  /** Stages that took time, without the one that a clock begins in. */
  private List<String> entered() {
    return clock.seconds().entrySet().stream()
        .filter(stage -> stage.getValue() > 0)
        .map(Map.Entry::getKey)
        .filter(stage -> !stage.equals("other"))
        .toList();
  }
}
