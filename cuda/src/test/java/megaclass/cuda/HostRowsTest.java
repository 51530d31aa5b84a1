// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import megaclass.compute.Engine;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.PlantedClasses;
import megaclass.head.HeadSettings;
import megaclass.head.Precision;
import megaclass.loss.Loss;
import megaclass.optim.OptimizerSpec;
import megaclass.optim.SparseOptimizer;
import megaclass.select.SelectorSpec;
import megaclass.train.TrainConfig;
import megaclass.train.Trainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Where class weights lie changes nothing but the time. */
class HostRowsTest {
  private static final int NUM_CLASSES = 203;
  private static final int STEPS = 6;

  /** So that few rows travel together. */
  private static final long SMALL_TILE = 24_000;

  @TempDir Path folder;

  static Stream<Object[]> runs() {
    return Stream.of(
        new Object[] {"fp32", "uniform(0.2)", "sgd(momentum=0.9, decay=0.01)"},
        new Object[] {"bf16", "uniform(0.2)", "sgd(momentum=0.9, decay=0.01, nesterov=true)"},
        new Object[] {"fp32", "uniform(0.2, corrected=true)", "adagrad"},
        new Object[] {"bf16", "uniform(0.1)", "adagrad"},
        new Object[] {"fp32", "uniform(0.2)", "sgd(momentum=0, decay=0)"},
        new Object[] {"fp32", "ivf(0.2, repairEvery=3)", "sgd(momentum=0.9, decay=0.01)"},
        new Object[] {"bf16", "ivf(0.15, code=hamming) + tail(0.25)", "adagrad"},
        new Object[] {"fp32", "ivf(0.05, repairEvery=3) + groups(4)", "sgd(momentum=0.9)"});
  }

  private static HeadSettings settings(
      String dtype, String selector, String optimizer, long deviceMemory) {
    return new HeadSettings(
        NUM_CLASSES,
        21,
        RowFormat.parse(dtype),
        deviceMemory,
        Loss.parse("arcface(scale=16, margin=0.3)"),
        SelectorSpec.parse(selector),
        OptimizerSpec.parse(optimizer),
        19,
        Precision.FP32,
        0,
        1);
  }

  /** The same with room for so many rows on the device. */
  private static HeadSettings withSlots(int slots, HeadSettings of) {
    var state = SparseOptimizer.stateFor(of.optimizer());
    return settings(
        of.dtype().toString(),
        of.selector().toString(),
        of.optimizer().toString(),
        slots * state.bytesPerRow(of.width(), of.dtype()));
  }

  @ParameterizedTest
  @MethodSource("runs")
  void aHeadLearnsTheSameBitsWhereverItsRowsLie(String dtype, String selector, String optimizer) {
    compare(settings(dtype, selector, optimizer, HeadSettings.ALL_ON_DEVICE), 47, 1);
  }

  @Test
  void noOrderInWhichTheDeviceWorksMatters() {
    var all = settings("fp32", "uniform(0.2)", "sgd(momentum=0.9)", HeadSettings.ALL_ON_DEVICE);
    try (var _ = HostCuda.late();
        var _ = HostCuda.bothOrders()) {
      compare(all, 41, 1);
    }
  }

  /** Steps beside each other, the second half of them by a head that goes on from the rows. */
  private static void compare(HeadSettings all, int slots, int threads) {
    var some = withSlots(slots, all);
    assertEquals(slots, HostRows.numSlots(some));
    try (var engine = Engine.start("scalar", threads);
        var expected = new HeadRun(all, engine);
        var actual = new HeadRun(some, engine)) {
      expected.start(new CudaHead(HostCuda.open(), expected.problem, SMALL_TILE));
      actual.start(new CudaHead(HostCuda.open(), actual.problem, SMALL_TILE));
      steps(expected, actual, 0, STEPS / 2);
      Map<String, MemorySegment> state = actual.head().state();
      assertSameState(expected.head().state(), state);
      Function<String, MemorySegment> sections =
          name -> state.getOrDefault(name, MemorySegment.NULL);
      expected.goOn(
          new CudaHead(HostCuda.open(), expected.problem, SMALL_TILE), STEPS / 2, sections);
      actual.goOn(new CudaHead(HostCuda.open(), actual.problem, SMALL_TILE), STEPS / 2, sections);
      steps(expected, actual, STEPS / 2, STEPS);
      actual.head().synchronise();
      expected.head().synchronise();
      assertSameRows(expected.weights.matrix(), actual.weights.matrix());
      assertArrayEquals(expected.weights(), actual.weights()); // caught up
      assertSameRows(expected.weights.matrix(), actual.weights.matrix());
    }
  }

  private static void steps(HeadRun expected, HeadRun actual, int from, int to) {
    for (int step = from; step < to; step++) {
      assertEquals(expected.step(step), actual.step(step), "loss of step " + step);
      assertArrayEquals(expected.gradients(), actual.gradients(), "gradients of step " + step);
    }
  }

  private static void assertSameState(
      Map<String, MemorySegment> expected, Map<String, MemorySegment> actual) {
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach(
        (name, bytes) -> assertEquals(-1, bytes.mismatch(actual.getOrDefault(name, bytes)), name));
  }

  private static void assertSameRows(RowMatrix expected, RowMatrix actual) {
    for (int s = 0; s < expected.shards().size(); s++) {
      var one = expected.shards().get(s);
      var other = actual.shards().get(s);
      assertEquals(-1, one.rows().mismatch(other.rows()), "rows of shard " + s);
      assertEquals(-1, one.accumulators().mismatch(other.accumulators()), "accumulators");
      assertEquals(-1, one.lastSteps().mismatch(other.lastSteps()), "last steps");
    }
  }

  @Test
  void rowsArePackedByManyThreads() {
    var all = settings("bf16", "uniform(0.3)", "adagrad", HeadSettings.ALL_ON_DEVICE);
    compare(all, 100, 3);
  }

  private static TrainConfig config(String selector, String optimizer) {
    return TrainConfig.defaults()
        .withDim(24)
        .withLoss(Loss.parse("cosface(scale=16, margin=0.1)"))
        .withSelector(SelectorSpec.parse(selector))
        .withOptimizer(OptimizerSpec.parse(optimizer))
        .withLearningRate(0.2)
        .withBatchSize(40)
        .withEpochs(1)
        .withThreads(1)
        .withBackend(HostCudaProvider.NAME);
  }

  private static Dataset data() {
    return Dataset.synthetic(
        PlantedClasses.defaults().withNumClasses(150).withDim(24).withExamplesPerClass(4));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "uniform(0.3)                      | sgd(momentum=0.9, decay=0.001) | 70",
        "ivf(0.3, repairEvery=4) + tail(0.2) | adagrad                      | 60"
      })
  void aRunThatWasStoppedGoesOnToTheModelOfOneWithAllRowsOnTheDevice(
      String selector, String optimizer, int slots) throws IOException {
    var config = config(selector, optimizer);
    var state = SparseOptimizer.stateFor(config.optimizer());
    var some = config.withDeviceMemory(slots * state.bytesPerRow(24, RowFormat.FP32));
    try (var data = data()) {
      byte[] expected = model(new Trainer(config), data, "whole");
      var steps = new AtomicInteger();
      var trainer =
          new Trainer(some).withCheckpoints(folder.resolve("run"), Duration.ofDays(1), true);
      trainer.stopWhen(() -> steps.incrementAndGet() == 6).fit(data, _ -> {}).close();
      assertArrayEquals(expected, model(trainer, data, "resumed"));
    }
  }

  private byte[] model(Trainer trainer, Dataset data, String name) throws IOException {
    Path file = folder.resolve(name + ".mcm");
    try (var classifier = trainer.fit(data, _ -> {})) {
      classifier.save(file);
    }
    return Files.readAllBytes(file);
  }

  @Test
  void theForecastCountsTheRowsThatAreOnTheDevice() {
    var all = settings("fp32", "uniform(0.2)", "sgd(momentum=0.9)", HeadSettings.ALL_ON_DEVICE);
    var provider = new HostCudaProvider();
    var whole = provider.deviceBytes(all);
    var part = provider.deviceBytes(withSlots(50, all));
    assertEquals(203 * 128L, whole.get("class weights"));
    assertEquals(203 * 132L, whole.get("their optimizer state"));
    assertEquals(null, whole.get("slots and copies of class weights"));
    assertEquals(50 * 128L, part.get("class weights"));
    assertEquals(50 * 132L, part.get("their optimizer state"));
    assertEquals(4 * 203 + (1L << 26), part.get("slots and copies of class weights"));
    assertEquals(whole, provider.deviceBytes(withSlots(203, all)));
    assertEquals(whole, provider.deviceBytes(withSlots(1000, all)));
  }

  @Test
  void memoryThatHoldsFewerRowsThanAStepUsesIsRefused() {
    for (String selector : List.of("uniform(0.2)", "all")) {
      var few =
          withSlots(
              40, settings("fp32", selector, "sgd(momentum=0.9)", HeadSettings.ALL_ON_DEVICE));
      long mostActive = selector.equals("all") ? 203 : 41;
      var provider = new HostCudaProvider();
      assertEquals(
          "device.memory holds 40 class weights of 260 bytes, but selector %s makes up to %d classes active at a time; give it at least %d bytes, or take fewer active classes"
              .formatted(few.selector(), mostActive, 260 * mostActive),
          String.valueOf(
              assertThrows(IllegalArgumentException.class, () -> provider.deviceBytes(few))
                  .getMessage()));
    }
  }
}
