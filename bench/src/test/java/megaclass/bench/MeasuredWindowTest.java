// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import megaclass.train.MemoryPlan;
import megaclass.train.TrainEvent;
import org.junit.jupiter.api.Test;

class MeasuredWindowTest {
  private static final long SECOND = 1_000_000_000L;

  private long now = 100 * SECOND;
  private long cpu = 7 * SECOND;
  private final MeasuredWindow window = new MeasuredWindow(5, 10, () -> now, () -> cpu);

  @Test
  void theWindowBeginsAfterTheWarmUpAndEndsWhenItIsLongEnough() {
    start();
    progress(2, 10, 1.0);
    progress(6, 20, 3.0); // the first report after the warm-up
    progress(15, 45, 7.0);
    assertFalse(window.getAsBoolean(), "only 9 seconds of 10 are over");
    cpu += 15 * SECOND;
    progress(18, 60, 9.0);

    assertTrue(window.getAsBoolean());
    assertEquals(20, window.firstStep());
    assertEquals(60, window.endStep());
    assertEquals(6, window.warmUpSeconds(), 1e-9);
    assertEquals(12, window.seconds(), 1e-9);
    assertEquals(Map.of("loss", 6.0), window.stageSeconds());
    assertEquals(15.0 / 12 / 2, window.cpuShare(2), 1e-9);
    assertEquals(123, window.numActive());
    assertEquals("vector 512 bit", window.backend());
  }

  @Test
  void warmUpAndWindowHaveThreeStepsHoweverLongTheyTake() {
    start();
    progress(20, 1, 0);
    progress(40, 2, 0);
    progress(60, 3, 0);
    progress(80, 4, 0);
    progress(100, 5, 0);
    assertFalse(window.getAsBoolean());
    progress(120, 6, 0);
    assertTrue(window.getAsBoolean());
    assertEquals(3, window.firstStep());
    assertEquals(6, window.endStep());
  }

  @Test
  void whatComesAfterTheWindowDoesNotCount() {
    start();
    progress(6, 20, 3);
    progress(18, 60, 9);
    progress(30, 90, 12);
    assertEquals(60, window.endStep());
  }

  @Test
  void aRunThatEndsEarlyHasNoResult() {
    start();
    progress(6, 20, 3);
    var e = assertThrows(NullPointerException.class, window::seconds);
    assertEquals("the run ended before the window did", e.getMessage());
  }

  private void start() {
    window.accept(
        new TrainEvent.Started(
            new MemoryPlan(Map.of(), 0, 0, Map.of()), "vector 512 bit", 100, 1000, 0));
    now += 30 * SECOND;
    window.accept(new TrainEvent.Initialised(30));
  }

  /** A report so many seconds after the initial values. */
  private void progress(long seconds, long step, double lossSeconds) {
    now = (130 + seconds) * SECOND;
    window.accept(
        new TrainEvent.Progress(
            step,
            1000,
            0,
            1.5,
            0.1,
            0,
            new TrainEvent.Touched(8, 123, 123, 0),
            new TrainEvent.Staleness(0, 0),
            Map.of("loss", lossSeconds, "start", 30.0),
            seconds));
  }
}
