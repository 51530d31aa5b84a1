// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.data.PlantedClasses;
import megaclass.head.HeadProblem;
import megaclass.head.HeadSettings;
import megaclass.head.Precision;
import megaclass.head.TrainingHead;
import megaclass.loss.Loss;
import megaclass.optim.OptimizerSpec;
import megaclass.optim.SparseOptimizer;
import megaclass.select.SelectorSpec;
import megaclass.weights.ClassWeights;

/**
 * Times whole steps of the head on the device, exact and with selected classes, at the sizes that
 * the GPU engine is made for. Embeddings are planted, class weights random: what is learned is of
 * no interest here, what a step costs does not depend on it.
 */
final class HeadSpeed {
  private static final int WARM_UP = 3;
  private static final int MOST_STEPS = 30;
  private static final double SECONDS = 10;
  private static final int EXAMPLES = 8192;

  /** Of class weights: sizes that do not fit are left out, by name. */
  private static final String SGD = "sgd(momentum=0.9, decay=0)";

  private static final String NO_STATE = "sgd(momentum=0, decay=0)";

  private static final List<String> SELECTORS =
      List.of(
          "all",
          "uniform(0.1)",
          "uniform(0.01)",
          "ivf(0.1)",
          "ivf(0.01) + tail(0.25)",
          "ivf(0.01) + tail(0.25) + groups(8)");

  /** Those whose rows fit into a tenth of them. */
  private static final List<String> FEW = List.of("uniform(0.01)", "ivf(0.01) + tail(0.25)");

  /**
   * What is trained.
   *
   * @param onDevice share of the rows that the device holds; the rest is in the host's memory
   */
  private record Size(
      int numClasses, int dim, int batch, RowFormat dtype, String optimizer, double onDevice) {
    RowMatrix.State state() {
      return SparseOptimizer.stateFor(OptimizerSpec.parse(optimizer));
    }

    long deviceMemory() {
      return onDevice == 1
          ? HeadSettings.ALL_ON_DEVICE
          : Math.round(onDevice * numClasses * state().bytesPerRow(dim, dtype));
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%,d x %d %s, batch %d%s",
          numClasses,
          dim,
          dtype,
          batch,
          onDevice == 1 ? "" : ", %.0f %% there".formatted(100 * onDevice));
    }
  }

  private HeadSpeed() {}

  /** Prints a table; each line opens the device anew. */
  static void print() {
    var sizes =
        HostCuda.isEmulated()
            ? List.of(
                new Size(5000, 32, 64, RowFormat.BF16, SGD, 1),
                new Size(5000, 32, 64, RowFormat.BF16, SGD, 0.1))
            : List.of(
                new Size(1_000_000, 128, 256, RowFormat.FP32, SGD, 1),
                new Size(10_000_000, 512, 1024, RowFormat.BF16, SGD, 1),
                new Size(10_000_000, 512, 1024, RowFormat.BF16, SGD, 0.1),
                new Size(100_000_000, 128, 1024, RowFormat.BF16, NO_STATE, 1));
    System.out.printf(
        "%n%-46s %-34s %9s %11s %8s%n", "steps of the head", "", "active", "samples/s", "GiB");
    for (var size : sizes) {
      try (var engine = Engine.start("auto", Runtime.getRuntime().availableProcessors());
          var weights =
              ClassWeights.allocate(size.numClasses, size.dim, false, size.state(), size.dtype);
          var data = data(size)) {
        weights.randomise(1, engine.workers());
        for (String selector : size.onDevice == 1 ? SELECTORS : FEW) {
          line(size, selector, weights, data, engine);
        }
      }
    }
  }

  private static Dataset data(Size size) {
    return Dataset.synthetic(
        PlantedClasses.defaults()
            .withNumClasses(Math.min(size.numClasses, EXAMPLES))
            .withDim(size.dim)
            .withExamplesPerClass(Math.max(1, EXAMPLES / size.numClasses)));
  }

  private static void line(
      Size size, String selector, ClassWeights weights, Dataset data, Engine engine) {
    var settings =
        new HeadSettings(
            size.numClasses,
            size.dim,
            size.dtype,
            size.deviceMemory(),
            Loss.parse("cosface(scale=32, margin=0.2)"),
            SelectorSpec.parse(selector),
            OptimizerSpec.parse(size.optimizer),
            size.batch,
            Precision.BF16,
            0,
            1);
    var provider = new CudaProvider(HostCuda::open, HostCuda::nccl);
    double needed = provider.deviceBytes(settings).values().stream().mapToLong(b -> b).sum();
    try (var head = provider.open(new HeadProblem(settings, weights, 1, engine));
        var embeddings =
            new Embeddings(size.batch, new Embeddings.Shape(size.dim, true, false), engine)) {
      head.begin();
      double rate = samplesPerSecond(head, embeddings, data, size);
      System.out.printf(
          Locale.ROOT,
          "%-46s %-34s %9d %11.0f %8.1f%n",
          size,
          selector,
          head.numActive(),
          rate,
          needed / (1L << 30));
    } catch (DeviceMemoryException e) {
      System.out.printf("%-46s %-34s %s%n", size, selector, e.getMessage());
    }
  }

  /**
   * The median over steps from one batch to the next. A step ends when the gradient of the
   * embeddings is on the host; what rows then still have to move is waited for in the next one.
   */
  private static double samplesPerSecond(
      TrainingHead head, Embeddings embeddings, Dataset data, Size size) {
    var backbone = new FrozenBackbone(size.dim);
    double[] seconds = new double[MOST_STEPS];
    int measured = 0;
    long begin = System.nanoTime();
    for (int step = 0; measured < MOST_STEPS; step++) {
      long from = System.nanoTime();
      var batch =
          MiniBatch.range(
              data, (long) step * size.batch % (data.numExamples() - size.batch), size.batch);
      embeddings.begin(size.batch);
      backbone.read(batch, true);
      backbone.forward(embeddings);
      embeddings.pack(batch);
      head.beginStep(1e-3);
      head.select(embeddings, batch.classIds(), step);
      head.forward(embeddings);
      head.backward(embeddings);
      head.endStep(step);
      if (step >= WARM_UP) {
        seconds[measured++] = (System.nanoTime() - from) * 1e-9;
        if ((System.nanoTime() - begin) * 1e-9 > SECONDS) {
          break;
        }
      }
    }
    double[] sorted = Arrays.copyOf(seconds, measured);
    Arrays.sort(sorted);
    return size.batch / sorted[measured / 2];
  }
}
