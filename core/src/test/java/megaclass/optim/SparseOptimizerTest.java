// SPDX-License-Identifier: Apache-2.0
package megaclass.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.TestBackend;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Row-sparse updates against an optimizer that moves all rows in all steps. */
class SparseOptimizerTest {
  private static final int STEPS = 150;
  private static final int DIM = 5;

  static Stream<String> dense() {
    return Stream.of(
        "sgd(momentum=0, decay=0)",
        "sgd(momentum=0, decay=0.01)",
        "sgd(momentum=0.9, decay=0)",
        "sgd(momentum=0.9, decay=0.01)",
        "sgd(momentum=0.99, decay=0.001)",
        "sgd(momentum=0.9, nesterov=true, decay=0)",
        "sgd(momentum=0.9, nesterov=true, decay=0.01)");
  }

  @ParameterizedTest
  @MethodSource("dense")
  void lazyStepsEqualThoseOfTheDenseOptimizer(String text) {
    for (double touched : new double[] {0.02, 0.3, 1}) {
      var run = new Run(text, 40, 2);
      for (int step = 0; step < STEPS; step++) {
        run.step(step, touched);
        if (step % 40 == 39) {
          run.optimizer.catchUpAll(run.engine.workers()); // as before an evaluation
          run.requireDense(step);
        }
      }
      run.optimizer.catchUpAll(run.engine.workers());
      run.requireDense(STEPS);
      run.close();
    }
  }

  @ParameterizedTest
  @MethodSource("dense")
  void theResultIsTheSameAtAnyNumberOfThreads(String text) {
    assertArrayEquals(weightsAfter(text, 1), weightsAfter(text, 3));
  }

  private static float[] weightsAfter(String text, int threads) {
    var run = new Run(text, 2_500, threads); // some tasks of 1024 rows
    for (int step = 0; step < 20; step++) {
      run.step(step, 0.3);
    }
    run.optimizer.catchUpAll(run.engine.workers());
    float[] weights = run.weights();
    run.close();
    return weights;
  }

  @ParameterizedTest
  @MethodSource("dense")
  void anOptimizerThatIsToldOfThePastGoesOnAsIfItHadBeenThere(String text) {
    var whole = new Run(text, 40, 1);
    var resumed = new Run(text, 40, 1);
    for (int step = 0; step < 60; step++) {
      if (step == 37) {
        resumed.restart(step);
      }
      whole.step(step, 0.2);
      resumed.step(step, 0.2);
    }
    whole.optimizer.catchUpAll(whole.engine.workers());
    resumed.optimizer.catchUpAll(resumed.engine.workers());
    assertArrayEquals(whole.weights(), resumed.weights());
    whole.close();
    resumed.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sgd(momentum=0.9, nesterov=true, decay=0.01, lazyDecay=off)",
        "sgd(momentum=0, decay=0.01, lazyDecay=off)",
        "sgd(momentum=0, decay=0)",
        "adagrad"
      })
  void untouchedRowsStayWhereTheyAre(String text) {
    var run = new Run(text, 30, 2);
    assertFalse(run.optimizer.needsCatchUp());
    float[] before = run.weights();
    var everTouched = new boolean[30];
    for (int step = 0; step < 12; step++) {
      for (int row : run.step(step, 0.05)) {
        everTouched[row] = true;
      }
    }
    run.optimizer.catchUpAll(run.engine.workers());
    float[] after = run.weights();
    int stayed = 0;
    for (int i = 0; i < before.length; i++) {
      if (everTouched[i / DIM]) {
        assertTrue(before[i] != after[i], "a touched row moves");
      } else {
        assertEquals(before[i], after[i]);
        stayed++;
      }
    }
    assertTrue(stayed > 0 && stayed < before.length);
    run.close();
  }

  /**
   * Without catching up, a row goes through its own steps only: those of a dense row of its own.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sgd(momentum=0.9, decay=0.01, lazyDecay=off)",
        "sgd(momentum=0.9, nesterov=true, decay=0.01, lazyDecay=off)",
        "sgd(momentum=0, decay=0.01, lazyDecay=off)",
        "adagrad",
        "adagrad(epsilon=0.1)"
      })
  void touchedRowsMoveAsTheirOwnStepsSay(String text) {
    var run = new Run(text, 30, 2);
    for (int step = 0; step < 60; step++) {
      run.step(step, 0.3);
    }
    run.requireDense(60);
    run.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "sgd(momentum=0, decay=0); false; false; false",
        "sgd(momentum=0, decay=0.1); false; false; true",
        "sgd(momentum=0.9, decay=0); true; false; true",
        "sgd(momentum=0.9, decay=0.1, lazyDecay=off); true; false; false",
        "sgd(momentum=0, decay=0.1, lazyDecay=off); false; false; false",
        "adagrad; false; true; false"
      })
  void anOptimizerKeepsNoMoreOfARowThanItNeeds(
      String text, boolean velocity, boolean accumulator, boolean lastStep) {
    assertEquals(
        new RowMatrix.State(velocity, accumulator, lastStep),
        SparseOptimizer.stateFor(OptimizerSpec.parse(text)));
  }

  @Test
  void aRowIsCaughtUpOnceHoweverOftenItIsAsked() {
    var run = new Run("sgd(momentum=0.9, decay=0.01)", 10, 1);
    for (int step = 0; step < 9; step++) {
      run.step(step, 0.4);
    }
    run.optimizer.catchUpAll(run.engine.workers());
    float[] once = run.weights();
    run.optimizer.catchUpAll(run.engine.workers());
    run.optimizer.catchUp(3, i -> i, run.engine.workers());
    assertArrayEquals(once, run.weights());
    run.close();
  }

  /** A sparse optimizer beside a dense one in double; both get the same gradients. */
  private static final class Run {
    private final OptimizerSpec spec;
    private final Engine engine;
    private final RowMatrix rows;
    private final Arena arena = Arena.ofShared();
    private final SplittableRandom random = new SplittableRandom(8);
    private final double[][] w;
    private final double[][] v;
    private final double[] squares;
    private double largest = 1;
    private SparseOptimizer optimizer;

    Run(String text, int numRows, int threads) {
      spec = OptimizerSpec.parse(text);
      engine = Engine.start(TestBackend.NAME, threads);
      rows = new RowMatrix(numRows, DIM, SparseOptimizer.stateFor(spec));
      rows.randomise(1, DIM, 4, engine.workers());
      optimizer = new SparseOptimizer(spec, rows, engine.backend());
      w = new double[numRows][DIM];
      v = new double[numRows][DIM];
      squares = new double[numRows];
      for (int row = 0; row < numRows; row++) {
        for (int j = 0; j < DIM; j++) {
          w[row][j] = rows.get(row, j);
        }
      }
    }

    /** The rate goes up and down and rests at 0 for a while. */
    private static double rate(int step) {
      return step % 50 > 45 ? 0 : 0.02 + 0.1 * Math.abs(Math.sin(step * 0.1));
    }

    /** Forgets the optimizer, not the rows, and makes a new one that is told of the steps done. */
    void restart(int step) {
      optimizer = new SparseOptimizer(spec, rows, engine.backend());
      for (int done = 0; done < step; done++) {
        optimizer.beginStep(rate(done));
        optimizer.endStep();
      }
    }

    /** One step; each row is touched with a probability. Returns the touched rows. */
    int[] step(int step, double probability) {
      int[] active =
          IntStream.range(0, w.length).filter(_ -> random.nextDouble() < probability).toArray();
      optimizer.beginStep(rate(step));
      optimizer.catchUp(active.length, i -> active[i], engine.workers());
      var gradients = new float[w.length][];
      for (int row : active) {
        gradients[row] = new float[rows.stride()];
        for (int j = 0; j < DIM; j++) {
          gradients[row][j] = (float) (0.5 * w[row][j] + random.nextGaussian());
        }
      }
      engine
          .workers()
          .run(active.length, (task, _) -> update(active[task], gradients[active[task]]));
      optimizer.endStep();
      double rate = (float) rate(step); // the arithmetic is that of floats
      for (int row = 0; row < w.length; row++) {
        dense(row, gradients[row], rate);
        largest = Math.max(largest, Arrays.stream(w[row]).map(Math::abs).max().orElse(0));
      }
      return active;
    }

    private void update(int row, float[] gradient) {
      MemorySegment memory;
      synchronized (arena) {
        memory = arena.allocate(4L * gradient.length, 64);
      }
      MemorySegment.copy(gradient, 0, memory, JAVA_FLOAT_UNALIGNED, 0, gradient.length);
      optimizer.update(row, memory.address());
    }

    private void dense(int row, float[] gradient, double rate) {
      switch (spec) {
        case OptimizerSpec.AdaGrad(double epsilon) -> {
          if (gradient != null) {
            double sum = 0;
            for (int j = 0; j < DIM; j++) {
              sum += (double) gradient[j] * gradient[j];
            }
            squares[row] += sum / DIM;
            for (int j = 0; j < DIM; j++) {
              w[row][j] -= rate * gradient[j] / (Math.sqrt(squares[row]) + epsilon);
            }
          }
        }
        case OptimizerSpec.Sgd sgd -> {
          if (gradient != null || sgd.lazyDecay() == OptimizerSpec.LazyDecay.EXACT) {
            for (int j = 0; j < DIM; j++) {
              double g = (gradient == null ? 0 : gradient[j]) + sgd.decay() * w[row][j];
              v[row][j] = sgd.momentum() * v[row][j] + g;
              w[row][j] -= rate * (sgd.nesterov() ? g + sgd.momentum() * v[row][j] : v[row][j]);
            }
          }
        }
      }
    }

    /** Rounding errors are those of the largest values that a weight went through. */
    void requireDense(int step) {
      for (int row = 0; row < w.length; row++) {
        for (int j = 0; j < DIM; j++) {
          double expected = w[row][j];
          assertEquals(
              expected,
              rows.get(row, j),
              1e-5 * largest,
              "row " + row + " after " + step + " steps");
        }
        for (int j = DIM; j < rows.stride(); j++) {
          assertEquals(0f, rows.get(row, j), "padding");
        }
      }
    }

    float[] weights() {
      var weights = new float[w.length * DIM];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = rows.get(i / DIM, i % DIM);
      }
      return weights;
    }

    void close() {
      rows.close();
      engine.close();
      arena.close();
    }
  }
}
