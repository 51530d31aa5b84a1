// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import megaclass.cuda.SoftmaxKernels.Destination;
import megaclass.cuda.SoftmaxKernels.Samples;
import megaclass.cuda.SoftmaxKernels.Tile;
import megaclass.loss.Loss;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Losses and gradients of products that come tile by tile, against {@link SoftmaxTwin}. */
class SoftmaxKernelsTest {
  private static final List<String> LOSSES =
      List.of(
          "softmax",
          "normsoftmax(scale=16)",
          "cosface(scale=64, margin=0.4)",
          "arcface(scale=64, margin=0.5)",
          "arcface(scale=30, margin=0.3, backward=straight-through)",
          "dsoftmax(scale=64, d=0.9)",
          "dsoftmax(scale=16, d=-0.5)");

  /** Sizes of one problem; tiles of so many classes. */
  record Sizes(int batch, int numActive, int tileClasses) {}

  private static final List<Sizes> SIZES =
      List.of(
          new Sizes(1, 1, 16),
          new Sizes(7, 15, 4),
          new Sizes(7, 16, 16),
          new Sizes(1, 17, 8),
          new Sizes(7, 63, 64),
          new Sizes(3, 1000, 400));

  /** For which one loss is enough. */
  private static final List<Sizes> LARGE_SIZES =
      List.of(new Sizes(256, 130, 132), new Sizes(2, 9001, 9000));

  static Stream<Object[]> problems() {
    return Stream.concat(
        LOSSES.stream()
            .flatMap(loss -> SIZES.stream().map(sizes -> new Object[] {Loss.parse(loss), sizes})),
        LARGE_SIZES.stream().map(sizes -> new Object[] {Loss.cosFace(64, 0.4), sizes}));
  }

  @ParameterizedTest
  @MethodSource("problems")
  void lossesAndGradientsAreThoseOfTheTwin(Loss loss, Sizes sizes) {
    var problem = Problem.random(loss, sizes);
    try (var run = new Run(problem)) {
      run.check();
    }
  }

  @Test
  void bf16GradientsAreTheRoundedOnes() {
    for (Sizes sizes : SIZES) {
      try (var run = new Run(Problem.random(Loss.arcFace(64, 0.5), sizes))) {
        assertArrayEquals(RowKernelsTest.nearest(run.gradients()), run.bf16Gradients());
      }
    }
  }

  @Test
  void groupsAreBatchesWithOneMean() {
    for (String loss : LOSSES) {
      var problem = Problem.random(Loss.parse(loss), new Sizes(12, 40, 16));
      try (var whole = new Run(problem);
          var parts = new Run(problem, 5, 7)) {
        assertArrayEquals(whole.losses, parts.losses);
        assertEquals(whole.mean, parts.mean);
        assertArrayEquals(whole.gradients(), parts.gradients());
      }
    }
  }

  @Test
  void aBatchLeavesNothingToTheNextEvenIfItWasBroken() {
    var problem = Problem.random(Loss.cosFace(16, 0.2), new Sizes(3, 40, 12));
    problem.products[1][7] = Float.NaN;
    try (var run = new Run(problem)) {
      problem.products[1][7] = 0.5f;
      run.forward();
      try (var fresh = new Run(problem)) {
        assertArrayEquals(fresh.losses, run.kernels.losses(3));
      }
    }
  }

  @Test
  void cosinesAtTheEndsOfTheirRangeHaveFiniteGradients() {
    float[] ends = {-1.0000001f, -1, -0.8776f, -0.8775f, -0f, 0, 1 - 1e-7f, 1, 1.0000001f};
    for (String loss : LOSSES) {
      var problem = Problem.random(Loss.parse(loss), new Sizes(ends.length, 20, 8));
      for (int i = 0; i < ends.length; i++) {
        problem.products[i][problem.targets[i]] = ends[i];
      }
      try (var run = new Run(problem)) {
        run.check();
      }
    }
  }

  @Test
  void hugeProductsNeitherOverflowNorVanish() {
    var problem = Problem.random(Loss.softmax(), new Sizes(6, 40, 12));
    for (int i = 0; i < 6; i++) {
      for (int j = 0; j < 40; j++) {
        problem.products[i][j] *= i < 3 ? 1e4f : 1e28f;
      }
    }
    Arrays.fill(problem.products[2], -3e4f);
    try (var run = new Run(problem)) {
      run.check();
    }
  }

  /** Also where a float log Z would be off by 1e-3. */
  @Test
  void gradientsOfASampleSumToZero() {
    var problem = Problem.random(Loss.softmax(), new Sizes(5, 100, 100));
    for (float[] products : problem.products) {
      for (int j = 0; j < products.length; j++) {
        products[j] += 12_345;
      }
    }
    try (var run = new Run(problem)) {
      float[] gradients = run.gradients();
      for (int i = 0; i < 5; i++) {
        double sum = 0;
        for (int j = 0; j < run.stride(); j++) {
          sum += gradients[i * run.stride() + j];
        }
        assertEquals(0, sum, 1e-6);
      }
    }
  }

  @Test
  void aProductThatIsNotFiniteShowsInTheLossOfItsSampleAlone() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      var problem = Problem.random(Loss.softmax(), new Sizes(3, 40, 12));
      problem.products[1][(problem.targets[1] + 20) % 40] = bad;
      try (var run = new Run(problem)) {
        assertFalse(Double.isFinite(run.losses[1]));
        assertFalse(Double.isFinite(run.mean));
        assertEquals(problem.twin().losses()[0], run.losses[0], 1e-5);
        assertEquals(problem.twin().losses()[2], run.losses[2], 1e-5);
      }
    }
  }

  /** Products of a batch with all its active classes. */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares problems
  private record Problem(
      Loss loss, Sizes sizes, float[][] products, float[] logWeights, int[] targets) {
    static Problem random(Loss loss, Sizes sizes) {
      var random = new SplittableRandom(sizes.numActive);
      float[][] products = new float[sizes.batch][sizes.numActive];
      for (float[] row : products) {
        for (int j = 0; j < row.length; j++) {
          row[j] = (float) Math.clamp(0.3 * random.nextGaussian(), -1, 1);
        }
      }
      float[] logWeights = new float[sizes.numActive];
      for (int j = 0; j < logWeights.length; j++) {
        logWeights[j] = j % 3 == 0 ? 0 : (float) random.nextDouble(4);
      }
      int[] targets = random.ints(sizes.batch, 0, sizes.numActive).toArray();
      targets[sizes.batch - 1] = sizes.numActive - 1;
      return new Problem(loss, sizes, products, logWeights, targets);
    }

    SoftmaxTwin twin() {
      return SoftmaxTwin.of(loss, products, logWeights, targets, sizes.batch);
    }
  }

  /** What the kernels make of a problem. */
  private static final class Run implements AutoCloseable {
    private static final int GAP = 4; // floats of a tile that are not columns of it

    final double[] losses;
    final double mean;
    private final Problem problem;
    private final HostCuda.Setting orders = HostCuda.bothOrders();
    private final Device device = HostCuda.open();
    private final SoftmaxKernels kernels;
    private final DeviceBuffer targets;
    private final DeviceBuffer logWeights;
    private final int[] parts;

    Run(Problem problem) {
      this(problem, problem.sizes.batch);
    }

    Run(Problem problem, int... parts) {
      this.problem = problem;
      this.parts = parts;
      int batch = problem.sizes.batch;
      kernels = new SoftmaxKernels(device, problem.loss, batch);
      targets = DeviceArrays.upload(device, problem.targets);
      logWeights = DeviceArrays.upload(device, problem.logWeights);
      forward();
      losses = kernels.losses(batch);
      mean = kernels.meanLoss();
    }

    void forward() {
      eachTile((samples, tile, _, _) -> kernels.forward(samples, tile));
      kernels.finish(problem.sizes.batch);
    }

    private Samples samples(int part) {
      int from = Arrays.stream(parts, 0, part).sum();
      return new Samples(from, parts[part], targets.address() + 4L * from);
    }

    private Tile tile(DeviceBuffer products, int first) {
      int columns = Math.min(problem.sizes.tileClasses, problem.sizes.numActive - first);
      return new Tile(
          products.address(), stride(), first, columns, logWeights.address() + 4L * first);
    }

    private int stride() {
      return problem.sizes.tileClasses + GAP;
    }

    /** A tile, with NaN behind its columns. */
    private float[] products(Samples samples, int first) {
      float[] products = new float[samples.count() * stride()];
      Arrays.fill(products, Float.NaN);
      for (int i = 0; i < samples.count(); i++) {
        float[] row = problem.products[samples.from() + i];
        int columns = Math.min(problem.sizes.tileClasses, row.length - first);
        System.arraycopy(row, first, products, i * stride(), columns);
      }
      return products;
    }

    /** By tile, sample and column, the padding included. */
    float[] gradients() {
      int tiles = Math.ceilDiv(problem.sizes.numActive, problem.sizes.tileClasses);
      float[] all = new float[tiles * problem.sizes.batch * stride()];
      eachTile(
          (samples, tile, buffer, at) -> {
            kernels.gradient(samples, tile, Destination.inPlace(stride()), problem.sizes.batch);
            int count = samples.count() * stride();
            System.arraycopy(DeviceArrays.floats(device, buffer, count), 0, all, at, count);
          });
      return all;
    }

    short[] bf16Gradients() {
      int tiles = Math.ceilDiv(problem.sizes.numActive, problem.sizes.tileClasses);
      short[] all = new short[tiles * problem.sizes.batch * stride()];
      eachTile(
          (samples, tile, buffer, at) -> {
            int count = samples.count() * stride();
            try (DeviceBuffer into = device.allocate(2L * count)) {
              var destination = new Destination(stride(), into.address(), stride());
              kernels.gradient(samples, tile, destination, problem.sizes.batch);
              System.arraycopy(DeviceArrays.shorts(device, into, count), 0, all, at, count);
            }
          });
      return all;
    }

    private interface TileTask {
      void run(Samples samples, Tile tile, DeviceBuffer buffer, int at);
    }

    private void eachTile(TileTask task) {
      int tileClasses = problem.sizes.tileClasses;
      for (int p = 0; p < parts.length; p++) {
        Samples samples = samples(p);
        for (int first = 0; first < problem.sizes.numActive; first += tileClasses) {
          try (DeviceBuffer buffer = DeviceArrays.upload(device, products(samples, first))) {
            int sample = first / tileClasses * problem.sizes.batch + samples.from();
            task.run(samples, tile(buffer, first), buffer, sample * stride());
            device.synchronize();
          }
        }
      }
    }

    /** Compares with the twin, to what float arithmetic on logits leaves. */
    void check() {
      SoftmaxTwin twin = problem.twin();
      int batch = problem.sizes.batch;
      float[] gradients = gradients();
      for (int i = 0; i < batch; i++) {
        double largest = 1;
        for (double logit : twin.logits()[i]) {
          largest = Math.max(largest, Math.abs(logit));
        }
        double bound = 1e-6 * largest;
        assertEquals(twin.losses()[i], losses[i], bound, "loss of sample " + i);
        for (int at = 0; at < gradients.length / batch; at++) {
          int tile = at / stride();
          int column = at % stride();
          int j = tile * problem.sizes.tileClasses + column;
          boolean real = column < problem.sizes.tileClasses && j < problem.sizes.numActive;
          double expected = real ? twin.gradients()[i][j] : 0;
          double actual = gradients[(tile * batch + i) * stride() + column];
          double slope = problem.loss.scale() / batch;
          double most = real ? bound * slope + 1e-6 * Math.abs(expected) : 0;
          assertEquals(expected, actual, most, "sample %d class %d".formatted(i, j));
        }
      }
      assertEquals(Arrays.stream(losses).sum() / batch, mean, 1e-12 * (1 + Math.abs(mean)));
    }

    @Override
    public void close() {
      kernels.close();
      targets.close();
      logWeights.close();
      device.close();
      orders.close();
    }
  }
}
