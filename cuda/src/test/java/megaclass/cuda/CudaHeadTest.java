// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.compute.Engine;
import megaclass.compute.RowFormat;
import megaclass.head.HeadSettings;
import megaclass.head.Precision;
import megaclass.loss.Loss;
import megaclass.optim.OptimizerSpec;
import megaclass.select.ActiveClasses;
import megaclass.select.SelectorSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A head on a device trains as the one on the host does, step for step. */
class CudaHeadTest {
  /** Few classes a tile, so that there are several, and the last one is not full. */
  private static final long SMALL_TILE = 24_000;

  private static final long ONE_TILE = 1 << 24;

  static Stream<Object[]> runs() {
    var losses =
        Stream.of(
            "softmax",
            "softmax(bias=true)",
            "normsoftmax(scale=16)",
            "cosface(scale=16, margin=0.2)",
            "arcface(scale=16, margin=0.3)",
            "dsoftmax(scale=16, d=0.5)");
    String momentum = "sgd(momentum=0.9, decay=0.001)";
    String normalised = "normsoftmax(scale=16)";
    return Stream.concat(
        losses.map(loss -> new Object[] {loss, "all", momentum}),
        Stream.of(
            new Object[] {normalised, "all", "adagrad"},
            new Object[] {normalised, "all", "sgd(momentum=0)"},
            new Object[] {normalised, "uniform(0.2)", momentum},
            new Object[] {normalised, "uniform(0.2)", "sgd(momentum=0.9, nesterov=true)"},
            new Object[] {normalised, "uniform(0.3, corrected=true)", "adagrad"},
            new Object[] {"softmax(bias=true)", "uniform(0.3, corrected=true)", momentum},
            new Object[] {normalised, "uniform(0.001)", momentum},
            new Object[] {normalised, "uniform(1, corrected=true)", momentum},
            new Object[] {normalised, "ivf(0.2)", momentum},
            new Object[] {normalised, "ivf(0.2, code=hamming)", momentum},
            new Object[] {"softmax(bias=true)", "ivf(0.2)", "adagrad"},
            new Object[] {"cosface(scale=16, margin=0.2)", "ivf(0.2) + tail(0.25)", momentum},
            new Object[] {normalised, "ivf(0.2) + groups(4)", momentum},
            new Object[] {"arcface(scale=16, margin=0.3)", "ivf(0.1) + groups(19)", "adagrad"},
            new Object[] {normalised, "ivf(0.2) + groups(1)", momentum},
            new Object[] {"softmax(bias=true)", "ivf(0.2) + tail(0.25) + groups(3)", momentum},
            new Object[] {"softmax", "uniform(0.3, corrected=true) + groups(40)", "adagrad"}));
  }

  static HeadSettings settings(String loss, String selector, String optimizer) {
    return new HeadSettings(
        HeadRun.NUM_CLASSES,
        HeadRun.DIM,
        RowFormat.FP32,
        HeadSettings.ALL_ON_DEVICE,
        Loss.parse(loss),
        SelectorSpec.parse(selector),
        OptimizerSpec.parse(optimizer),
        HeadRun.BATCH,
        Precision.FP32,
        0,
        1);
  }

  @ParameterizedTest
  @MethodSource("runs")
  void itLearnsTheSameAsOnTheHost(String loss, String selector, String optimizer) {
    var settings = settings(loss, selector, optimizer);
    for (long tileBytes : List.of(SMALL_TILE, ONE_TILE)) {
      try (var engine = Engine.start("scalar", 1);
          var host = new HeadRun(settings, engine);
          var device = new HeadRun(settings, engine)) {
        host.startOnHost();
        device.start(new CudaHead(HostCuda.open(), device.problem, tileBytes));
        for (int step = 0; step < HeadRun.STEPS; step++) {
          assertEquals(host.step(step), device.step(step), 1e-4, "loss of step " + step);
          assertSameChoice(host.head().active(), device.head().active());
          assertClose(host.gradients(), device.gradients(), 1e-4);
        }
        assertClose(host.weights(), device.weights(), 1e-4);
      }
    }
  }

  private static void assertSameChoice(ActiveClasses expected, ActiveClasses actual) {
    assertEquals(expected.numActive(), actual.numActive());
    for (int j = 0; j < expected.numActive(); j++) {
      assertEquals(expected.classId(j), actual.classId(j), "class at " + j);
      assertEquals(expected.logWeight(j), actual.logWeight(j), 1e-6f, "log weight at " + j);
    }
    assertEquals(expected.groups().size(), actual.groups().size(), "groups");
    for (int g = 0; g < expected.groups().size(); g++) {
      ActiveClasses.Group group = expected.groups().get(g);
      assertArrayEquals(group.samples(), actual.groups().get(g).samples(), "samples of group " + g);
      assertSameChoice(group.active(), actual.groups().get(g).active());
    }
  }

  private static void assertClose(float[] expected, float[] actual, double tolerance) {
    assertEquals(expected.length, actual.length);
    double largest =
        IntStream.range(0, expected.length).mapToDouble(i -> Math.abs(expected[i])).max().orElse(0);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], tolerance * largest, "number " + i);
    }
  }

  /** A row of 16 bits moves as on the host but where its rounding was near a tie. */
  @Test
  void halfRowsAreRoundedAsOnTheHost() {
    var half =
        with(
            settings("normsoftmax(scale=16)", "uniform(0.2)", "sgd(momentum=0.9)"),
            RowFormat.BF16,
            Precision.FP32);
    try (var engine = Engine.start("scalar", 1);
        var host = new HeadRun(half, engine);
        var device = new HeadRun(half, engine)) {
      host.startOnHost();
      device.start(new CudaHead(HostCuda.open(), device.problem, SMALL_TILE));
      assertEquals(host.step(0), device.step(0), 1e-4);
      float[] expected = host.weights();
      float[] actual = device.weights();
      long different =
          IntStream.range(0, actual.length).filter(i -> expected[i] != actual[i]).count();
      assertTrue(different < actual.length / 1000, different + " of " + actual.length + " differ");
      assertClose(expected, actual, 1e-2);
    }
  }

  /** Operands of 7 and 10 bits: about as near to the host as that allows. */
  @ParameterizedTest
  @CsvSource({"BF16, 0.03", "TF32, 0.004"})
  void coarserProductsStayNearTheHost(Precision precision, double tolerance) {
    var settings =
        with(
            settings("cosface(scale=16, margin=0.2)", "uniform(0.5)", "adagrad"),
            RowFormat.FP32,
            precision);
    try (var engine = Engine.start("scalar", 1);
        var host = new HeadRun(settings, engine);
        var device = new HeadRun(settings, engine)) {
      host.startOnHost();
      device.start(new CudaHead(HostCuda.open(), device.problem, SMALL_TILE));
      for (int step = 0; step < HeadRun.STEPS; step++) {
        assertEquals(host.step(step), device.step(step), 16 * tolerance);
      }
      assertClose(host.weights(), device.weights(), tolerance);
    }
  }

  private static HeadSettings with(HeadSettings of, RowFormat dtype, Precision precision) {
    return new HeadSettings(
        of.numClasses(),
        of.dim(),
        dtype,
        of.deviceMemory(),
        of.loss(),
        of.selector(),
        of.optimizer(),
        of.batchSize(),
        precision,
        0,
        1);
  }

  /** Copies run as late as they may, and each kernel in two orders of its threads. */
  @Test
  void noOrderInWhichTheDeviceWorksMatters() {
    try (var _ = HostCuda.late();
        var _ = HostCuda.bothOrders()) {
      assertFirstStepsAreThoseOfTheHost("uniform(0.2, corrected=true)");
    }
  }

  /** Scans find candidates in the order of threads and put them in their own afterwards. */
  @Test
  void noOrderInWhichCandidatesAreFoundMatters() {
    try (var _ = HostCuda.late();
        var _ = HostCuda.reverse()) {
      assertFirstStepsAreThoseOfTheHost("ivf(0.2) + tail(0.25)");
    }
  }

  /** Gradients of a row are added up group after group, in no other order. */
  @Test
  void noOrderInWhichGroupsAreWorkedOnMatters() {
    try (var _ = HostCuda.late();
        var _ = HostCuda.bothOrders()) {
      assertFirstStepsAreThoseOfTheHost("uniform(0.2, corrected=true) + groups(3)");
    }
  }

  /** Both the moves of rows and what an index makes of them are still to come after a step. */
  @ParameterizedTest
  @ValueSource(strings = {"all", "ivf(0.2)", "uniform(0.2) + groups(3)"})
  void theHostHasTheGradientBeforeRowsHaveMoved(String selector) {
    assumeTrue(HostCuda.isEmulated(), "about what the emulation has not done yet");
    var settings = settings("normsoftmax(scale=16)", selector, "sgd(momentum=0.9)");
    try (var _ = HostCuda.late();
        var engine = Engine.start("scalar", 1);
        var device = new HeadRun(settings, engine)) {
      device.start(new CudaHead(HostCuda.open(), device.problem, ONE_TILE));
      for (int step = 0; step < 2; step++) {
        device.step(step);
        assertTrue(HostCuda.pending() > 1, "a product and a move of rows");
      }
    }
  }

  private static void assertFirstStepsAreThoseOfTheHost(String selector) {
    var settings = settings("arcface(scale=16, margin=0.3)", selector, "sgd(momentum=0.9)");
    try (var engine = Engine.start("scalar", 1);
        var host = new HeadRun(settings, engine);
        var device = new HeadRun(settings, engine)) {
      host.startOnHost();
      device.start(new CudaHead(HostCuda.open(), device.problem, SMALL_TILE));
      for (int step = 0; step < 2; step++) {
        assertEquals(host.step(step), device.step(step), 1e-4, "loss of step " + step);
        assertSameChoice(host.head().active(), device.head().active());
        assertClose(host.gradients(), device.gradients(), 1e-4);
      }
    }
  }

  @Test
  void aRunRepeatsBitForBitAndGoesOnFromItsRows() {
    var settings = settings("arcface(scale=16, margin=0.3)", "uniform(0.2)", "sgd(momentum=0.9)");
    try (var engine = Engine.start("scalar", 1);
        var first = new HeadRun(settings, engine);
        var second = new HeadRun(settings, engine)) {
      first.start(new CudaHead(HostCuda.open(), first.problem, SMALL_TILE));
      second.start(new CudaHead(HostCuda.open(), second.problem, SMALL_TILE));
      for (int step = 0; step < 3; step++) {
        assertEquals(first.step(step), second.step(step));
      }
      second.goOn(new CudaHead(HostCuda.open(), second.problem, SMALL_TILE), 3);
      for (int step = 3; step < HeadRun.STEPS; step++) {
        assertEquals(first.step(step), second.step(step));
      }
      assertArrayEquals(first.weights(), second.weights());
    }
  }
}
