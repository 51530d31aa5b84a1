// SPDX-License-Identifier: Apache-2.0
package megaclass.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.TestBackend;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.optim.OptimizerSpec.AdaGrad;
import megaclass.optim.OptimizerSpec.LazyDecay;
import megaclass.optim.OptimizerSpec.Sgd;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/**
 * Rows that move when they are touched, against a plain optimizer in double that moves them all.
 */
class SparseOptimizerTest {
  private static final int STEPS = 60;

  /** Of float32 values, relative to the largest. */
  private static final double RELATIVE = 2e-5;

  @Provide
  Arbitrary<Sgd> sgds() {
    return Combinators.combine(
            Arbitraries.of(0.0, 0.5, 0.9, 0.99),
            Arbitraries.of(0.0, 1e-4, 0.03),
            Arbitraries.of(true, false))
        .as((momentum, decay, nesterov) -> sgd(momentum, nesterov && momentum > 0, decay));
  }

  private static Sgd sgd(double momentum, boolean nesterov, double decay) {
    return new Sgd(momentum, nesterov, decay, LazyDecay.EXACT);
  }

  private static Sgd off(Sgd sgd) {
    return new Sgd(sgd.momentum(), sgd.nesterov(), sgd.decay(), LazyDecay.OFF);
  }

  @Property(tries = 40)
  void rowsThatCatchUpExactlyGoWhereDenseSgdTakesThem(
      @ForAll("sgds") Sgd sgd,
      @ForAll @IntRange(min = 1, max = 35) int width,
      @ForAll @IntRange(min = 1, max = 3) int threads,
      @ForAll long seed) {
    try (var sparse = new Sparse(sgd, 13, width, threads, seed)) {
      var dense = new DenseTwin(sgd, sparse.values());
      assertEquals(sgd.momentum() > 0 || sgd.decay() > 0, sparse.optimizer.needsCatchUp());
      var random = new SplittableRandom(seed);
      for (int step = 0; step < STEPS; step++) {
        var touch = Touch.random(random, 13, width);
        sparse.step(touch);
        dense.stepAll(touch);
        for (int row : touch.rows()) { // right even while the others lag behind
          assertClose(dense.weights, new double[][] {dense.weights[row]}, sparse.value(row));
        }
      }
      sparse.optimizer.catchUpAll(sparse.engine.workers());
      assertClose(dense.weights, dense.weights, sparse.values());
    }
  }

  @Property(tries = 30)
  void withoutLazyDecayUntouchedRowsStayWhereTheyAre(
      @ForAll("sgds") Sgd spec, @ForAll @IntRange(min = 1, max = 35) int width, @ForAll long seed) {
    var sgd = off(spec);
    try (var sparse = new Sparse(sgd, 13, width, 2, seed)) {
      assertFalse(sparse.optimizer.needsCatchUp());
      var twin = new DenseTwin(sgd, sparse.values());
      var random = new SplittableRandom(seed);
      for (int step = 0; step < STEPS; step++) {
        var touch = Touch.random(random, 13, width);
        double[][] before = sparse.values();
        sparse.step(touch);
        sparse.optimizer.catchUpAll(sparse.engine.workers());
        double[][] after = sparse.values();
        for (int row = 0; row < 13; row++) {
          if (!touch.touches(row)) {
            assertArrayEquals(before[row], after[row], "row " + row);
          }
        }
        twin.stepTouched(touch);
      }
      assertClose(twin.weights, twin.weights, sparse.values());
    }
  }

  @Property(tries = 20)
  void adaGradFollowsItsFormula(
      @ForAll @IntRange(min = 1, max = 35) int width,
      @ForAll @IntRange(min = 1, max = 3) int threads,
      @ForAll long seed) {
    var spec = new AdaGrad(1e-3);
    try (var sparse = new Sparse(spec, 13, width, threads, seed)) {
      double[][] weights = sparse.values();
      double[] sums = new double[13];
      var random = new SplittableRandom(seed);
      for (int step = 0; step < STEPS; step++) {
        var touch = Touch.random(random, 13, width);
        sparse.step(touch);
        for (int row : touch.rows()) {
          double[] g = touch.gradients()[row];
          sums[row] += Arrays.stream(g).map(value -> value * value).sum() / width;
          for (int j = 0; j < width; j++) {
            weights[row][j] -= touch.rate() * g[j] / (Math.sqrt(sums[row]) + 1e-3);
          }
        }
      }
      assertClose(weights, weights, sparse.values());
      for (int row = 0; row < 13; row++) {
        assertEquals(sums[row], sparse.rows.accumulator(row), RELATIVE * sums[row]);
      }
    }
  }

  @Property(tries = 30)
  void catchingUpInTwoPartsIsCatchingUpAtOnce(
      @ForAll("sgds") Sgd sgd, @ForAll @IntRange(min = 1, max = 49) int pause, @ForAll long seed) {
    try (var once = new Sparse(sgd, 5, 3, 1, seed);
        var twice = new Sparse(sgd, 5, 3, 1, seed)) {
      var random = new SplittableRandom(seed);
      var first = Touch.all(random, 5, 3);
      double[][] start = once.values();
      for (var sparse : new Sparse[] {once, twice}) {
        sparse.step(first);
      }
      double[][] moved = once.values();
      for (int step = 1; step < 50; step++) {
        var nothing = Touch.nothing(random);
        once.step(nothing);
        twice.step(nothing);
        if (step == pause) {
          twice.optimizer.catchUpAll(twice.engine.workers());
        }
      }
      once.optimizer.catchUpAll(once.engine.workers());
      twice.optimizer.catchUpAll(twice.engine.workers());
      double[][] reached = once.values();
      assertClose(reached, reached, twice.values());
      assertFalse(Arrays.deepEquals(start, moved));
      assertEquals(
          sgd.momentum() > 0 || sgd.decay() > 0, !Arrays.deepEquals(moved, reached), "they moved");
    }
  }

  @Test
  void catchingUpTwiceChangesNothing() {
    try (var sparse = new Sparse(sgd(0.9, true, 0.01), 5, 3, 1, 1)) {
      var random = new SplittableRandom(2);
      sparse.step(Touch.all(random, 5, 3));
      sparse.step(Touch.nothing(random));
      sparse.optimizer.catchUpAll(sparse.engine.workers());
      double[][] reached = sparse.values();
      sparse.optimizer.catchUpAll(sparse.engine.workers());
      assertTrue(Arrays.deepEquals(reached, sparse.values()));
    }
  }

  @Test
  void threadsDoNotChangeASingleBit() {
    for (OptimizerSpec spec : new OptimizerSpec[] {sgd(0.9, true, 1e-3), new AdaGrad(1e-8)}) {
      try (var one = new Sparse(spec, 5_000, 3, 1, 7);
          var three = new Sparse(spec, 5_000, 3, 3, 7)) {
        for (var sparse : new Sparse[] {one, three}) {
          var random = new SplittableRandom(3);
          for (int step = 0; step < 5; step++) {
            sparse.step(Touch.random(random, 5_000, 3));
          }
          sparse.optimizer.catchUpAll(sparse.engine.workers());
        }
        assertTrue(Arrays.deepEquals(one.values(), three.values()), spec.toString());
      }
    }
  }

  /** What a step does: gradients of some rows, a row of zeros for each of the others. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Touch(double rate, int[] rows, double[][] gradients) {
    /** About a quarter of the rows, sometimes none. */
    static Touch random(SplittableRandom random, int numRows, int width) {
      double rate = (float) random.nextDouble(0.0, 0.3);
      boolean[] touched = new boolean[numRows];
      double[][] gradients = new double[numRows][width];
      for (int row = 0; row < numRows; row++) {
        touched[row] = random.nextInt(4) == 0;
        if (touched[row]) {
          Arrays.setAll(gradients[row], _ -> (float) random.nextDouble(-1, 1));
        }
      }
      int[] rows = IntStream.range(0, numRows).filter(row -> touched[row]).toArray();
      return new Touch(rate, rows, gradients);
    }

    static Touch all(SplittableRandom random, int numRows, int width) {
      double[][] gradients = new double[numRows][width];
      for (double[] row : gradients) {
        Arrays.setAll(row, _ -> (float) random.nextDouble(-1, 1));
      }
      return new Touch(0.25, IntStream.range(0, numRows).toArray(), gradients);
    }

    static Touch nothing(SplittableRandom random) {
      return new Touch((float) random.nextDouble(0.0, 0.3), new int[0], new double[0][]);
    }

    boolean touches(int row) {
      return Arrays.binarySearch(rows, row) >= 0;
    }
  }

  /** The definition: every row in double. */
  private static final class DenseTwin {
    private final Sgd sgd;
    final double[][] weights;
    private final double[][] velocities;

    DenseTwin(Sgd sgd, double[][] weights) {
      this.sgd = sgd;
      this.weights = weights;
      velocities = new double[weights.length][weights[0].length];
    }

    void stepAll(Touch touch) {
      IntStream.range(0, weights.length).forEach(row -> stepRow(row, touch));
    }

    void stepTouched(Touch touch) {
      IntStream.of(touch.rows()).forEach(row -> stepRow(row, touch));
    }

    private void stepRow(int row, Touch touch) {
      double[] w = weights[row];
      double[] v = velocities[row];
      for (int j = 0; j < w.length; j++) {
        double g = touch.gradients()[row][j] + sgd.decay() * w[j];
        v[j] = sgd.momentum() * v[j] + g;
        w[j] -= touch.rate() * (sgd.nesterov() ? g + sgd.momentum() * v[j] : v[j]);
      }
    }
  }

  /** What is tested, with its rows and threads. */
  private static final class Sparse implements AutoCloseable {
    final Engine engine;
    final RowMatrix rows;
    final SparseOptimizer optimizer;

    Sparse(OptimizerSpec spec, int numRows, int width, int threads, long seed) {
      engine = Engine.start(TestBackend.NAME, threads);
      rows = new RowMatrix(numRows, width, SparseOptimizer.stateFor(spec));
      rows.randomise(1.0, width, seed, engine.workers());
      optimizer = new SparseOptimizer(spec, rows, engine);
    }

    void step(Touch touch) {
      optimizer.beginStep(touch.rate());
      optimizer.catchUp(touch.rows().length, i -> touch.rows()[i], engine.workers());
      try (var gradients = new RowMatrix(rows.numRows(), rows.width(), RowMatrix.State.NONE)) {
        engine
            .workers()
            .run(
                touch.rows().length,
                (i, _) -> {
                  int row = touch.rows()[i];
                  for (int j = 0; j < rows.width(); j++) {
                    gradients.set(row, j, (float) touch.gradients()[row][j]);
                  }
                  optimizer.update(row, gradients.address(row), 0);
                });
      }
      optimizer.endStep();
    }

    double[][] values() {
      return IntStream.range(0, rows.numRows())
          .mapToObj(row -> value(row)[0])
          .toArray(double[][]::new);
    }

    /** One row, as a matrix of one row. */
    double[][] value(int row) {
      double[] value = new double[rows.width()];
      Arrays.setAll(value, j -> rows.get(row, j));
      return new double[][] {value};
    }

    @Override
    public void close() {
      rows.close();
      engine.close();
    }
  }

  /** To rounding, relative to the largest value of {@code scale}. */
  private static void assertClose(double[][] scale, double[][] expected, double[][] actual) {
    double largest =
        Stream.of(scale).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElseThrow();
    assertEquals(expected.length, actual.length);
    for (int row = 0; row < expected.length; row++) {
      assertArrayEquals(expected[row], actual[row], RELATIVE * largest, "row " + row);
    }
  }
}
