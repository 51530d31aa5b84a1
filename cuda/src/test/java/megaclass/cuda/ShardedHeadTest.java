// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import megaclass.compute.Engine;
import megaclass.cuda.CudaHeadTest.Run;
import megaclass.head.HeadProblem;
import megaclass.head.HeadSettings;
import megaclass.head.TrainingHead;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Class weights over several devices: the same training as on one. */
class ShardedHeadTest {
  private static final int STEPS = 4;

  /** So that there are several tiles on each device. */
  private static final long TILE_BYTES = 6_000;

  /** Makes a head over so many devices, from number 0 on. */
  static TrainingHead open(HeadProblem problem, int count, long tileBytes) {
    var shared =
        new HeadProblem(
            over(problem.settings(), count), problem.weights(), problem.seed(), problem.engine());
    return ShardedHead.open(HostCuda::open, HostCuda::nccl, shared, tileBytes);
  }

  private static HeadSettings over(HeadSettings of, int count) {
    return new HeadSettings(
        of.numClasses(),
        of.dim(),
        of.dtype(),
        of.deviceMemory(),
        of.loss(),
        of.selector(),
        of.optimizer(),
        of.batchSize(),
        of.precision(),
        of.deviceNumber(),
        count);
  }

  /** One device against two and three; the number of classes is no multiple of any. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "softmax(bias=true)              | all                          | sgd(momentum=0.9,"
            + " decay=0.001)",
        "normsoftmax(scale=16)           | uniform(0.001)               | adagrad",
        "arcface(scale=16, margin=0.3)   | uniform(0.2)                 | sgd(momentum=0.9)",
        "dsoftmax(scale=16, d=0.5)       | uniform(0.3, corrected=true) | adagrad",
        "normsoftmax(scale=16)           | ivf(0.2, code=hamming)       | sgd(momentum=0.9)",
        "cosface(scale=16, margin=0.2)   | ivf(0.2) + tail(0.25)        | sgd(momentum=0.9)"
      })
  void whatIsChosenAndLearnedDoesNotDependOnTheNumberOfDevices(
      String loss, String selector, String optimizer) {
    var settings = CudaHeadTest.settings(loss, selector, optimizer);
    for (int count = 2; count <= 3; count++) {
      try (var engine = Engine.start("scalar", 1);
          var one = new Run(settings, engine);
          var several = new Run(settings, engine)) {
        one.start(new CudaHead(HostCuda.open(), one.problem, TILE_BYTES));
        several.start(open(several.problem, count, TILE_BYTES));
        for (int step = 0; step < STEPS; step++) {
          assertEquals(one.step(step), several.step(step), 1e-5, "loss of step " + step);
          assertEquals(one.head().exampleLoss(3), several.head().exampleLoss(3), 1e-5);
          assertEquals(one.head().weightRows(), several.head().weightRows());
          assertSameChoice(one.head(), several.head());
          assertClose(one.gradients(), several.gradients());
        }
        assertClose(one.weights(), several.weights());
      }
    }
  }

  private static void assertSameChoice(TrainingHead expected, TrainingHead actual) {
    var wanted = expected.active();
    var found = actual.active();
    assertEquals(wanted.numActive(), actual.numActive());
    for (int j = 0; j < wanted.numActive(); j++) {
      assertEquals(wanted.classId(j), found.classId(j), "class at " + j);
      assertEquals(wanted.logWeight(j), found.logWeight(j), "log weight at " + j);
    }
  }

  /** Sums of floats are in another order: to a hundred-thousandth of the largest number. */
  private static void assertClose(float[] expected, float[] actual) {
    double largest =
        IntStream.range(0, expected.length).mapToDouble(i -> Math.abs(expected[i])).max().orElse(0);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], 1e-5 * largest, "number " + i);
    }
  }

  @Test
  void aRunRepeatsBitForBitWhateverTheOrderOfThreadsAndCopies() {
    var settings =
        CudaHeadTest.settings("arcface(scale=16, margin=0.3)", "uniform(0.2)", "sgd(momentum=0.9)");
    try (var engine = Engine.start("scalar", 1);
        var first = new Run(settings, engine);
        var second = new Run(settings, engine)) {
      first.start(open(first.problem, 3, TILE_BYTES));
      for (int step = 0; step < 2; step++) {
        first.step(step);
      }
      try (var _ = HostCuda.late();
          var _ = HostCuda.bothOrders()) {
        second.start(open(second.problem, 3, TILE_BYTES));
        for (int step = 0; step < 2; step++) {
          second.step(step);
        }
        assertArrayEquals(first.gradients(), second.gradients());
        assertArrayEquals(first.weights(), second.weights());
      }
    }
  }

  /** Rows come to the host and go on from there on fewer devices. */
  @Test
  void whatSeveralDevicesHaveLearnedGoesOnOnOne() {
    var settings =
        CudaHeadTest.settings(
            "normsoftmax(scale=16)", "uniform(0.2)", "sgd(momentum=0.9, decay=0.001)");
    try (var engine = Engine.start("scalar", 1);
        var whole = new Run(settings, engine);
        var moved = new Run(settings, engine)) {
      whole.start(open(whole.problem, 2, TILE_BYTES));
      moved.start(open(moved.problem, 2, TILE_BYTES));
      for (int step = 0; step < 2; step++) {
        assertEquals(whole.step(step), moved.step(step));
      }
      moved.goOn(new CudaHead(HostCuda.open(), moved.problem, TILE_BYTES), 2);
      for (int step = 2; step < STEPS; step++) {
        assertEquals(whole.step(step), moved.step(step), 1e-5);
      }
      assertClose(whole.weights(), moved.weights());
    }
  }

  @Test
  void moreDevicesThanClassesAreRefused() {
    var settings = CudaHeadTest.settings("softmax", "all", "adagrad");
    try (var engine = Engine.start("scalar", 1);
        var run = new Run(settings, engine)) {
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> open(run.problem, settings.numClasses() + 1, TILE_BYTES));
      assertEquals(
          "device.count must be at most the number of classes, %d, but was %d"
              .formatted(settings.numClasses(), settings.numClasses() + 1),
          e.getMessage());
    }
  }

  @Test
  void aDeviceThatIsNotThereIsNamedAndTheOthersAreGivenBack() {
    var settings = CudaHeadTest.settings("softmax", "all", "adagrad");
    try (var engine = Engine.start("scalar", 1);
        var run = new Run(settings, engine)) {
      var e =
          assertThrows(
              CudaException.class,
              () ->
                  ShardedHead.open(
                      number -> HostCuda.open(number + 3),
                      HostCuda::nccl,
                      new HeadProblem(
                          over(settings, 2), run.problem.weights(), 1, run.problem.engine()),
                      TILE_BYTES));
      assertTrue(
          String.valueOf(e.getMessage()).startsWith("there is no GPU number 4; "), e::toString);
    }
  }
}
