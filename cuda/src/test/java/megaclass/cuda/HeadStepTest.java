// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import megaclass.compute.RowMatrix;
import megaclass.cuda.Gemm.Precision;
import megaclass.cuda.RowKernels.Gathered;
import megaclass.cuda.RowKernels.Gradients;
import megaclass.cuda.SoftmaxKernels.Destination;
import megaclass.cuda.SoftmaxKernels.Samples;
import megaclass.cuda.SoftmaxKernels.Tile;
import megaclass.loss.Loss;
import megaclass.loss.LossDefinition;
import megaclass.optim.OptimizerSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A step of the head by its kernels, tile by tile, against {@link LossDefinition}: what is
 * gathered, multiplied, turned into gradients and taken back through both normalisations fits
 * together.
 */
class HeadStepTest {
  private static final List<String> LOSSES =
      List.of(
          "softmax",
          "softmax(bias=true)",
          "normsoftmax(scale=16)",
          "cosface(scale=64, margin=0.4)",
          "arcface(scale=64, margin=0.5)",
          "arcface(scale=30, margin=0.3, backward=straight-through)",
          "dsoftmax(scale=64, d=0.9)");

  /** Sizes of one problem; active are the classes from 0 or 1 on, each so many. */
  record Sizes(int numClasses, int every, int dim, int batch) {}

  static Stream<Object[]> problems() {
    var sizes =
        List.of(
            new Sizes(1, 1, 1, 1),
            new Sizes(15, 1, 3, 7),
            new Sizes(17, 2, 16, 1),
            new Sizes(63, 1, 100, 7),
            new Sizes(130, 3, 128, 7),
            new Sizes(40, 1, 513, 3),
            new Sizes(1000, 7, 16, 9));
    return LOSSES.stream()
        .flatMap(loss -> sizes.stream().map(some -> new Object[] {Loss.parse(loss), some}));
  }

  @ParameterizedTest
  @MethodSource("problems")
  void lossAndGradientsAreThoseOfTheDefinition(Loss loss, Sizes sizes) {
    var problem = new Problem(loss, sizes);
    LossDefinition.Result expected = problem.definition();
    try (var _ = HostCuda.bothOrders();
        Device device = HostCuda.open();
        var step = new Step(device, problem)) {
      step.run();
      assertEquals(expected.meanLoss(), step.softmax.meanLoss(), 1e-4);
      double largest = largest(expected.featureGradients());
      for (int i = 0; i < sizes.batch; i++) {
        for (int j = 0; j < step.stride; j++) {
          double wanted = j < sizes.dim ? expected.featureGradients()[i][j] : 0;
          double most = j < sizes.dim ? 1e-4 * largest + 1e-6 : 0;
          assertEquals(wanted, step.embeddingGradient(i, j), most);
        }
      }
      largest = largest(expected.weightGradients());
      for (int c = 0; c < sizes.numClasses; c++) {
        for (int j = 0; j < sizes.dim; j++) {
          double actual = (double) problem.weights.get(c, j) - step.moved.get(c, j);
          assertEquals(expected.weightGradients()[c][j], actual, 1e-4 * largest + 2e-6);
        }
        if (loss.bias()) {
          double actual = (double) problem.weights.get(c, sizes.dim) - step.moved.get(c, sizes.dim);
          assertEquals(expected.biasGradients()[c], actual, 1e-4 * largest + 2e-6);
        }
      }
    }
  }

  private static double largest(double[][] values) {
    return Arrays.stream(values).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElse(0);
  }

  /** Random embeddings, weights and targets. */
  private static final class Problem {
    final Loss loss;
    final Sizes sizes;
    final RowMatrix weights;
    final float[][] embeddings;
    final int[] classIds;
    final float[] logWeights;
    final int[] positions;

    Problem(Loss loss, Sizes sizes) {
      this.loss = loss;
      this.sizes = sizes;
      var random = new SplittableRandom(sizes.numClasses);
      int width = sizes.dim + (loss.bias() ? 1 : 0);
      weights = new RowMatrix(sizes.numClasses, width, RowMatrix.State.NONE);
      for (int c = 0; c < sizes.numClasses; c++) {
        for (int j = 0; j < width; j++) {
          weights.set(c, j, (float) random.nextGaussian());
        }
      }
      embeddings = new float[sizes.batch][sizes.dim];
      for (float[] row : embeddings) {
        for (int j = 0; j < sizes.dim; j++) {
          row[j] = (float) (random.nextGaussian() / Math.sqrt(sizes.dim));
        }
      }
      classIds = new int[Math.ceilDiv(sizes.numClasses, sizes.every)];
      logWeights = new float[classIds.length];
      for (int a = 0; a < classIds.length; a++) {
        classIds[a] = sizes.every * a;
        logWeights[a] = sizes.every == 1 ? 0 : (float) random.nextDouble(2);
      }
      positions = random.ints(sizes.batch, 0, classIds.length).toArray();
    }

    LossDefinition.Result definition() {
      double[][] rows = new double[sizes.numClasses][sizes.dim];
      double[] bias = new double[loss.bias() ? sizes.numClasses : 0];
      for (int c = 0; c < sizes.numClasses; c++) {
        for (int j = 0; j < sizes.dim; j++) {
          rows[c][j] = weights.get(c, j);
        }
        if (loss.bias()) {
          bias[c] = weights.get(c, sizes.dim);
        }
      }
      double[][] features = new double[sizes.batch][sizes.dim];
      int[] targets = new int[sizes.batch];
      for (int i = 0; i < sizes.batch; i++) {
        for (int j = 0; j < sizes.dim; j++) {
          features[i][j] = embeddings[i][j];
        }
        targets[i] = classIds[positions[i]];
      }
      double[] shifts = new double[logWeights.length];
      Arrays.setAll(shifts, a -> logWeights[a]);
      return LossDefinition.lossAndGradient(
          loss,
          new LossDefinition.Batch(features, targets),
          new LossDefinition.Head(rows, bias),
          new LossDefinition.Active(classIds, shifts));
    }
  }

  /** The step of one batch; rows move by their gradient times 1. */
  private static final class Step implements AutoCloseable {
    private static final int TILE_CLASSES = 48;
    private static final int TILE_STRIDE = 52;

    final RowMatrix moved;
    final SoftmaxKernels softmax;
    private final Device device;
    private final Problem problem;
    private final RowKernels rowKernels;
    private final DeviceRows rows;
    private final int stride;
    private final int batch;
    private final int numActive;
    private final DeviceBuffer classIds;
    private final DeviceBuffer logWeights;
    private final Samples samples;
    private final DeviceBuffer targets;
    private final DeviceBuffer raw;
    private final DeviceBuffer embeddings;
    private final DeviceBuffer embeddingNorms;
    private final DeviceBuffer active;
    private final DeviceBuffer activeNorms;
    private final DeviceBuffer tile;
    private final DeviceBuffer embeddingGradients;
    private final DeviceBuffer rowGradients;
    private float[] finished = new float[0];

    Step(Device device, Problem problem) {
      this.device = device;
      this.problem = problem;
      batch = problem.sizes.batch;
      numActive = problem.classIds.length;
      rowKernels = new RowKernels(device);
      softmax = new SoftmaxKernels(device, problem.loss, batch);
      rows = new DeviceRows(device, problem.weights);
      stride = rows.stride();
      moved =
          new RowMatrix(problem.sizes.numClasses, problem.weights.width(), RowMatrix.State.NONE);
      classIds = DeviceArrays.upload(device, problem.classIds);
      logWeights = DeviceArrays.upload(device, problem.logWeights);
      targets = DeviceArrays.upload(device, problem.positions);
      samples = new Samples(0, batch, targets.address());
      raw = DeviceArrays.upload(device, raw());
      embeddings = device.allocate(4L * batch * stride);
      embeddingNorms = device.allocate(4L * batch);
      active = device.allocate(4L * numActive * stride);
      activeNorms = device.allocate(4L * numActive);
      tile = device.allocate(4L * batch * TILE_STRIDE);
      embeddingGradients = device.allocate(4L * batch * stride);
      rowGradients = device.allocate(4L * numActive * stride);
    }

    /** Embeddings with their constant 1, where the loss has a bias. */
    private float[] raw() {
      float[] raw = new float[batch * stride];
      for (int i = 0; i < batch; i++) {
        System.arraycopy(problem.embeddings[i], 0, raw, i * stride, problem.sizes.dim);
        if (problem.loss.bias()) {
          raw[i * stride + problem.sizes.dim] = 1;
        }
      }
      return raw;
    }

    private long norms(DeviceBuffer norms) {
      return problem.loss.normalised() ? norms.address() : 0;
    }

    void run() {
      var everyRow = RowChoice.range(0, batch);
      var units = new Gathered(embeddings.address(), false, norms(embeddingNorms));
      rowKernels.gatherFloats(raw.address(), stride, everyRow, units);
      var which = RowChoice.of(classIds, 0, numActive);
      rowKernels.gather(rows, which, new Gathered(active.address(), false, norms(activeNorms)));
      for (int first = 0; first < numActive; first += TILE_CLASSES) {
        softmax.forward(samples, multiply(first));
      }
      softmax.finish(batch);
      for (int first = 0; first < numActive; first += TILE_CLASSES) {
        softmax.gradient(samples, multiply(first), Destination.inPlace(TILE_STRIDE), batch);
        backward(first);
      }
      softmax.finishEmbeddings(
          embeddingGradients.address(),
          embeddings.address(),
          norms(embeddingNorms),
          batch,
          stride,
          problem.sizes.dim);
      finished = DeviceArrays.floats(device, embeddingGradients, batch * stride);
      var gradients = new Gradients(rowGradients.address(), norms(activeNorms));
      var plain = OptimizerSpec.parse("sgd(momentum=0, decay=0)");
      rowKernels.update(rows, which, gradients, plain, 0, 1f);
      rows.download(moved);
    }

    /** Inner products of all samples with the active classes from {@code first} on. */
    private Tile multiply(int first) {
      long rowsOfTile = active.address() + 4L * first * stride;
      int columns = Math.min(TILE_CLASSES, numActive - first);
      long e = embeddings.address();
      long z = tile.address();
      device
          .gemm()
          .multiply(
              Precision.FP32,
              false,
              true,
              batch,
              columns,
              stride,
              1f,
              e,
              stride,
              rowsOfTile,
              stride,
              0f,
              z,
              TILE_STRIDE);
      return new Tile(z, TILE_STRIDE, first, columns, logWeights.address() + 4L * first);
    }

    /** Both products with the gradient of a tile. */
    private void backward(int first) {
      long rowsOfTile = active.address() + 4L * first * stride;
      int columns = Math.min(TILE_CLASSES, numActive - first);
      long g = tile.address();
      long e = embeddings.address();
      long intoEmbeddings = embeddingGradients.address();
      long intoRows = rowGradients.address() + 4L * first * stride;
      float before = first == 0 ? 0f : 1f;
      Gemm gemm = device.gemm();
      gemm.multiply(
          Precision.FP32,
          false,
          false,
          batch,
          stride,
          columns,
          1f,
          g,
          TILE_STRIDE,
          rowsOfTile,
          stride,
          before,
          intoEmbeddings,
          stride);
      gemm.multiply(
          Precision.FP32,
          true,
          false,
          columns,
          stride,
          batch,
          1f,
          g,
          TILE_STRIDE,
          e,
          stride,
          0f,
          intoRows,
          stride);
    }

    double embeddingGradient(int sample, int column) {
      return finished[sample * stride + column];
    }

    @Override
    public void close() {
      for (var buffer :
          List.of(
              classIds,
              logWeights,
              targets,
              raw,
              embeddings,
              embeddingNorms,
              active,
              activeNorms,
              tile,
              embeddingGradients,
              rowGradients)) {
        buffer.close();
      }
      softmax.close();
      rows.close();
      moved.close();
      problem.weights.close();
    }
  }
}
