// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import megaclass.compute.Engine;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.cuda.RowKernels.Gradients;
import megaclass.optim.OptimizerSpec;
import megaclass.optim.SparseOptimizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Rows that are touched now and then, on the device and by {@link SparseOptimizer} with the scalar
 * backend: the same bits, in both formats. Gradients are multiples of 1/8, so that sums of their
 * squares are exact in any order.
 */
class RowsMoveAsOnTheCpuTest {
  private static final int STEPS = 9;

  /** One history: of an optimizer, over rows of a width and format. */
  record Problem(String optimizer, int numRows, int width, RowFormat format) {}

  static Stream<Problem> problems() {
    return Stream.of(
            "sgd(momentum=0, decay=0)",
            "sgd(momentum=0, decay=0.01)",
            "sgd(momentum=0, decay=0.01, lazyDecay=off)",
            "sgd(momentum=0.9, decay=0.0001)",
            "sgd(momentum=0.9, decay=0.01, lazyDecay=off)",
            "sgd(momentum=0.9, nesterov=true, decay=0.01)",
            "adagrad(epsilon=1e-8)")
        .flatMap(
            optimizer ->
                Stream.of(1, 3, 16, 100, 128, 513)
                    .flatMap(
                        width ->
                            Stream.of(RowFormat.values())
                                .map(f -> new Problem(optimizer, 1 + 700 / width, width, f))));
  }

  @ParameterizedTest
  @MethodSource("problems")
  void rowsMoveToTheSameBits(Problem problem) {
    var optimizer = OptimizerSpec.parse(problem.optimizer);
    RowMatrix.State state = SparseOptimizer.stateFor(optimizer);
    try (Engine engine = Engine.start("scalar", 1);
        var expected = new RowMatrix(problem.numRows, problem.width, state, problem.format);
        var actual = new RowMatrix(problem.numRows, problem.width, state, problem.format);
        var _ = HostCuda.bothOrders();
        Device device = HostCuda.open()) {
      expected.randomise(0.5, problem.width, 7, engine.workers());
      try (var rows = new DeviceRows(device, expected);
          var onDevice = new OnDevice(device, rows, optimizer)) {
        var onCpu = new SparseOptimizer(optimizer, expected, engine);
        var random = new SplittableRandom(8);
        for (int step = 0; step < STEPS; step++) {
          float rate = 0.3f / (1 + step);
          int[] ids =
              random
                  .ints(problem.numRows, 0, problem.numRows)
                  .limit(1 + problem.numRows / 3)
                  .distinct()
                  .toArray();
          float[] gradients = gradients(ids.length, expected, random);
          onCpu.beginStep(rate);
          onCpu.catchUp(ids.length, i -> ids[i], engine.workers());
          updateOnCpu(onCpu, ids, gradients, expected.stride());
          onCpu.endStep();
          onDevice.step(ids, gradients, step, rate);
        }
        rows.download(actual);
        assertSame(expected, actual);
        onCpu.catchUpAll(engine.workers());
        onDevice.catchUpAll();
        rows.download(actual);
        assertSame(expected, actual);
      }
    }
  }

  /** Beyond the steps that a table has room for at first; asked for now and then, or at need. */
  @Test
  void whatThousandsOfStepsDoDoesNotDependOnWhenTheyReachTheDevice() {
    var optimizer = OptimizerSpec.parse("sgd(momentum=0.9, nesterov=true, decay=0.001)");
    RowMatrix.State state = SparseOptimizer.stateFor(optimizer);
    int[] touchedAt = {0, 1, 1000, 4000, 4095};
    for (int askedEvery : new int[] {99, 5000}) {
      try (Engine engine = Engine.start("scalar", 1);
          var expected = new RowMatrix(touchedAt.length, 20, state);
          var actual = new RowMatrix(touchedAt.length, 20, state);
          Device device = HostCuda.open()) {
        expected.randomise(0.5, 20, 7, engine.workers());
        try (var rows = new DeviceRows(device, expected);
            var onDevice = new OnDevice(device, rows, optimizer)) {
          var onCpu = new SparseOptimizer(optimizer, expected, engine);
          for (int step = 0; step < 4100; step++) {
            float rate = 0.1f / (1 + step % 10);
            int row = Arrays.binarySearch(touchedAt, step);
            onCpu.beginStep(rate);
            if (row >= 0) {
              float[] gradients = gradients(1, expected, new SplittableRandom(step));
              onCpu.catchUp(1, _ -> row, engine.workers());
              updateOnCpu(onCpu, new int[] {row}, gradients, expected.stride());
              onDevice.step(new int[] {row}, gradients, step, rate);
            } else {
              onDevice.missed.advance(rate);
            }
            onCpu.endStep();
            if (step % askedEvery == askedEvery - 1) {
              onDevice.missed.table();
            }
          }
          onCpu.catchUpAll(engine.workers());
          onDevice.catchUpAll();
          rows.download(actual);
          assertSame(expected, actual);
        }
      }
    }
  }

  private static float[] gradients(int count, RowMatrix rows, SplittableRandom random) {
    float[] gradients = new float[count * rows.stride()];
    for (int i = 0; i < gradients.length; i++) {
      gradients[i] = i % rows.stride() < rows.width() ? random.nextInt(-8, 9) / 8f : 0;
    }
    return gradients;
  }

  private static void updateOnCpu(
      SparseOptimizer optimizer, int[] ids, float[] gradients, int stride) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment all = arena.allocateFrom(ValueLayout.JAVA_FLOAT, gradients);
      for (int i = 0; i < ids.length; i++) {
        optimizer.update(ids[i], all.address() + 4L * i * stride, 0);
      }
    }
  }

  private static void assertSame(RowMatrix expected, RowMatrix actual) {
    for (int s = 0; s < expected.shards().size(); s++) {
      RowMatrix.Shard a = expected.shards().get(s);
      RowMatrix.Shard b = actual.shards().get(s);
      assertEquals(-1, a.rows().mismatch(b.rows()), "rows");
      assertEquals(-1, a.accumulators().mismatch(b.accumulators()), "accumulators");
      assertEquals(-1, a.lastSteps().mismatch(b.lastSteps()), "last steps");
    }
  }

  /** The same steps by the kernels. */
  private static final class OnDevice implements AutoCloseable {
    private final Device device;
    private final DeviceRows rows;
    private final OptimizerSpec optimizer;
    private final RowKernels kernels;
    private final MissedSteps missed;

    OnDevice(Device device, DeviceRows rows, OptimizerSpec optimizer) {
      this.device = device;
      this.rows = rows;
      this.optimizer = optimizer;
      kernels = new RowKernels(device);
      missed = new MissedSteps(device, optimizer);
    }

    void step(int[] ids, float[] gradients, int step, float rate) {
      try (DeviceBuffer deviceIds = DeviceArrays.upload(device, ids);
          DeviceBuffer deviceGradients = DeviceArrays.upload(device, gradients)) {
        var which = RowChoice.of(deviceIds, 0, ids.length);
        kernels.catchUp(rows, which, missed);
        var byRows = new Gradients(deviceGradients.address(), 0);
        kernels.update(rows, which, byRows, optimizer, step, rate);
        missed.advance(rate);
      }
    }

    void catchUpAll() {
      kernels.catchUp(rows, RowChoice.range(0, rows.numRows()), missed);
    }

    @Override
    public void close() {
      missed.close();
    }
  }
}
