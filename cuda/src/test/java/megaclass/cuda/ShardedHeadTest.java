// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.stream.IntStream;
import megaclass.compute.Engine;
import megaclass.head.HeadProblem;
import megaclass.head.HeadSettings;
import megaclass.head.TrainingHead;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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
    return over(of, count, of.deviceMemory());
  }

  private static HeadSettings over(HeadSettings of, int count, long deviceMemory) {
    return new HeadSettings(
        of.numClasses(),
        of.dim(),
        of.dtype(),
        deviceMemory,
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
          var one = new HeadRun(settings, engine);
          var several = new HeadRun(settings, engine)) {
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
        var first = new HeadRun(settings, engine);
        var second = new HeadRun(settings, engine)) {
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
        var whole = new HeadRun(settings, engine);
        var moved = new HeadRun(settings, engine)) {
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

  /** Rows move on each device while the host has the gradient already. */
  @ParameterizedTest
  @ValueSource(strings = {"all", "uniform(0.2)"})
  void theHostHasTheGradientBeforeRowsHaveMoved(String selector) {
    assumeTrue(HostCuda.isEmulated(), "about what the emulation has not done yet");
    var settings = CudaHeadTest.settings("normsoftmax(scale=16)", selector, "sgd(momentum=0.9)");
    try (var _ = HostCuda.late();
        var engine = Engine.start("scalar", 1);
        var run = new HeadRun(settings, engine)) {
      run.start(open(run.problem, 3, 1 << 24));
      for (int step = 0; step < 2; step++) {
        run.step(step);
        assertTrue(HostCuda.pending() >= 6, "a product and a move of rows on each of three");
      }
    }
  }

  @Test
  void whatDevicesCannotDoTogetherIsRefused() {
    var settings = CudaHeadTest.settings("softmax", "all", "adagrad");
    int numClasses = settings.numClasses();
    assertRefused(
        "device.count must be at most the number of classes, %d, but was %d"
            .formatted(numClasses, numClasses + 1),
        over(settings, numClasses + 1));
    assertRefused(
        "selector uniform(0.5, corrected=false) + groups(2) chooses classes for groups of samples,"
            + " which needs device.count 1, but that is 2; take 1, or the selector without groups",
        over(CudaHeadTest.settings("softmax", "uniform(0.5) + groups(2)", "adagrad"), 2));
    long rowBytes = HostRows.rowBytes(settings);
    long enough = rowBytes * ((numClasses + 1) / 2);
    assertRefused(
        ("device.memory is %d bytes, but the class weights of each of 2 devices take %d, and they"
                + " may lie in the memory of the host with device.count 1 only; give it as much,"
                + " or take more devices or one")
            .formatted(enough - 1, enough),
        over(settings, 2, enough - 1));
  }

  /** By the forecast, before anything is opened, and by who opens it all the same. */
  private static void assertRefused(String message, HeadSettings settings) {
    var provider = new HostCudaProvider();
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> provider.deviceBytes(settings))
            .getMessage());
    try (var engine = Engine.start("scalar", 1);
        var run = new HeadRun(settings, engine)) {
      assertEquals(
          message,
          assertThrows(IllegalArgumentException.class, () -> provider.open(run.problem))
              .getMessage());
    }
  }

  /** Each device has room for its own classes, though none has for all. */
  @Test
  void memoryThatHoldsThePartOfEachDeviceIsEnough() {
    var settings = CudaHeadTest.settings("softmax", "all", "adagrad");
    long enough = HostRows.rowBytes(settings) * ((settings.numClasses() + 1) / 2);
    var provider = new HostCudaProvider();
    assertEquals(
        provider.deviceBytes(over(settings, 2)), provider.deviceBytes(over(settings, 2, enough)));
    try (var engine = Engine.start("scalar", 1);
        var one = new HeadRun(settings, engine);
        var two = new HeadRun(over(settings, 2, enough), engine)) {
      one.start(new CudaHead(HostCuda.open(), one.problem, TILE_BYTES));
      two.start(provider.open(two.problem));
      assertEquals(one.step(0), two.step(0), 1e-5);
    }
  }

  @Test
  void aDeviceThatIsNotThereIsNamedAndTheOthersAreGivenBack() {
    var settings = CudaHeadTest.settings("softmax", "all", "adagrad");
    try (var engine = Engine.start("scalar", 1);
        var run = new HeadRun(settings, engine)) {
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
