// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.util.Arrays;
import java.util.SplittableRandom;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import megaclass.cuda.Gemm.Precision;
import megaclass.cuda.RowKernels.Gathered;
import megaclass.cuda.RowKernels.Gradients;
import megaclass.cuda.SoftmaxKernels.Destination;
import megaclass.cuda.SoftmaxKernels.Samples;
import megaclass.cuda.SoftmaxKernels.Tile;
import megaclass.loss.Loss;
import megaclass.optim.OptimizerSpec;
import megaclass.optim.SparseOptimizer;

/**
 * Times what a step is made of, at sizes of a large head, by events of the device: the median of
 * {@link #RUNS} runs after one that is not counted. Bytes are those that have to move once.
 */
final class GpuSpeed {
  private static final int RUNS = 9;
  private static final int BATCH = 1024;
  private static final int DIM = 128;

  private final Device device;

  /** Classes, and active classes; fewer where the device is an emulation. */
  private final int numClasses;

  private final int numActive;

  GpuSpeed(Device device) {
    this.device = device;
    numClasses = HostCuda.isEmulated() ? 4096 : 4_000_000;
    numActive = HostCuda.isEmulated() ? 1024 : 65_536;
  }

  void print() {
    System.out.printf(
        "%nbatch %d, dim %d, %,d classes, %,d active%n", BATCH, DIM, numClasses, numActive);
    System.out.printf("%-44s %12s %10s%n", "measured", "milliseconds", "");
    copies();
    for (var precision : Precision.values()) {
      products(precision);
    }
    softmax();
    for (var format : RowFormat.values()) {
      rows(format);
    }
    new SearchSpeed(this, device, numClasses, numActive).print(BATCH, DIM);
  }

  private void copies() {
    long bytes = 4L * numClasses * DIM;
    try (var from = device.allocate(bytes);
        var to = device.allocate(bytes)) {
      bandwidth(
          "copy on the device, read and written",
          2 * bytes,
          () -> device.copy(from, 0, to, 0, bytes));
      var host = device.allocatePinned(Math.min(bytes, 1L << 28));
      bandwidth("copy to the device", host.byteSize(), () -> device.upload(host, to, 0));
      bandwidth("copy from the device", host.byteSize(), () -> device.downloadAsync(to, 0, host));
    }
  }

  /** Logits: (batch, dim) by (numActive, dim) transposed. */
  private void products(Precision precision) {
    int bytes = precision == Precision.BF16 ? 2 : 4;
    try (var a = device.allocate((long) bytes * BATCH * DIM);
        var b = device.allocate((long) bytes * numActive * DIM);
        var c = device.allocate(4L * BATCH * numActive)) {
      double seconds =
          seconds(
              () ->
                  device
                      .gemm()
                      .multiply(
                          precision,
                          false,
                          true,
                          BATCH,
                          numActive,
                          DIM,
                          1,
                          a.address(),
                          DIM,
                          b.address(),
                          DIM,
                          0,
                          c.address(),
                          numActive));
      line(
          "products, " + precision,
          seconds,
          2.0 * BATCH * numActive * DIM / seconds * 1e-12,
          "TFLOP/s");
    }
  }

  private void softmax() {
    try (var logits = device.allocate(4L * BATCH * numActive);
        var gradients = device.allocate(2L * BATCH * numActive);
        var targets = device.allocate(4L * BATCH);
        var kernels =
            new SoftmaxKernels(device, Loss.parse("cosface(scale=64, margin=0.4)"), BATCH)) {
      var samples = new Samples(0, BATCH, targets.address());
      var tile = new Tile(logits.address(), numActive, 0, numActive, 0);
      long bytes = 4L * BATCH * numActive;
      bandwidth("softmax forward", bytes, () -> kernels.forward(samples, tile));
      kernels.finish(BATCH);
      var into = new Destination(numActive, gradients.address(), numActive);
      bandwidth(
          "softmax gradient",
          bytes + bytes / 2,
          () -> kernels.gradient(samples, tile, into, BATCH));
    }
  }

  private void rows(RowFormat format) {
    var optimizer = OptimizerSpec.parse("sgd(momentum=0.9, decay=0)");
    var state = SparseOptimizer.stateFor(optimizer);
    try (var matrix = new RowMatrix(numClasses, DIM, state, format);
        var workers = new Workers(1)) {
      matrix.randomise(1, DIM, 1, workers);
      int[] ids =
          new SplittableRandom(2)
              .ints(0, numClasses)
              .distinct()
              .limit(numActive)
              .sorted()
              .toArray();
      try (var rows = new DeviceRows(device, matrix);
          var some = DeviceArrays.upload(device, ids);
          var gathered = device.allocate(4L * numActive * DIM);
          var norms = device.allocate(4L * numActive)) {
        var kernels = new RowKernels(device);
        var which = RowChoice.of(some, 0, numActive);
        long row = rows.bf16() ? 2L * DIM : 4L * DIM;
        var into = new Gathered(gathered.address(), true, norms.address());
        bandwidth(
            "gather rows of " + format,
            numActive * (row + 2L * DIM),
            () -> kernels.gather(rows, which, into));
        device.fill(gathered, 0, gathered.bytes(), 0);
        var gradients = new Gradients(gathered.address(), norms.address());
        bandwidth(
            "update rows of " + format,
            numActive * (4 * row + 4L * DIM),
            () -> kernels.update(rows, which, gradients, optimizer, 1, 0.1f));
      }
    }
  }

  void bandwidth(String name, long bytes, Runnable work) {
    double seconds = seconds(work);
    line(name, seconds, bytes / seconds * 1e-9, "GB/s");
  }

  static void line(String name, double seconds, double rate, String unit) {
    System.out.printf("%-44s %12.3f %10.1f %s%n", name, seconds * 1e3, rate, unit);
  }

  double seconds(Runnable work) {
    work.run();
    double[] seconds = new double[RUNS];
    for (int i = 0; i < RUNS; i++) {
      try (var from = device.record()) {
        work.run();
        try (var to = device.record()) {
          seconds[i] = device.seconds(from, to);
        }
      }
    }
    Arrays.sort(seconds);
    return seconds[RUNS / 2];
  }
}
