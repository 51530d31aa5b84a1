// SPDX-License-Identifier: Apache-2.0
package megaclass.optim;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.IntUnaryOperator;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowFormat;
import megaclass.compute.RowListener;
import megaclass.compute.RowMatrix;
import megaclass.compute.RowUpdate;
import megaclass.compute.Workers;
import megaclass.internal.Hash;

/**
 * Moves the rows of one matrix by their gradients, at a cost that depends on the touched rows only,
 * and yet as the dense optimizer would.
 *
 * <p>Under momentum or decay a dense optimizer moves every row in every step. Here a row keeps the
 * step it was last moved in, and {@link #catchUp} makes up for the steps it missed, all at once
 * (see {@link CatchUp}); it must be called for every row before the row is used. The order of a
 * step is {@link #beginStep}, catchUp of the rows in use, {@link #update} of those with a gradient,
 * and {@link #endStep}.
 *
 * <p>{@link #update} may be called from several threads for different rows; the rest from one.
 */
public final class SparseOptimizer implements RowUpdate {
  private static final int ROWS_PER_TASK = 1024;

  // What a row may go through in one step: each is rounded by other random bits.
  private static final int CAUGHT_UP = 0;
  private static final int CAUGHT_UP_VELOCITY = 1;
  private static final int MOVED = 2;
  private static final int MOVED_VELOCITY = 3;

  private final OptimizerSpec spec;
  private final RowMatrix rows;
  private final ComputeBackend backend;
  private final MemorySegment scratch;
  private final CatchUp catchUp;
  private RowListener listener = (_, _) -> {};
  private float rate;

  /**
   * Optimizes a matrix.
   *
   * @param rows allocated with {@link #stateFor}
   */
  public SparseOptimizer(OptimizerSpec spec, RowMatrix rows, Engine engine) {
    this.spec = spec;
    this.rows = rows;
    this.backend = engine.backend();
    long rowBytes = 4L * rows.stride();
    scratch = NativeMemory.allocate(2 * rowBytes * engine.workers().threads(), Arena.ofAuto());
    this.catchUp =
        new CatchUp(
            switch (spec) {
              case OptimizerSpec.Sgd sgd -> sgd;
              case OptimizerSpec.AdaGrad _ ->
                  new OptimizerSpec.Sgd(0, false, 0, OptimizerSpec.LazyDecay.OFF);
            });
  }

  /** Lets an index of the rows follow them: it hears of every row that was moved or caught up. */
  public void whenMoved(RowListener listener) {
    this.listener = listener;
  }

  /** What an optimizer keeps of each row. */
  public static RowMatrix.State stateFor(OptimizerSpec spec) {
    return switch (spec) {
      case OptimizerSpec.AdaGrad _ -> new RowMatrix.State(false, true, false);
      case OptimizerSpec.Sgd sgd ->
          new RowMatrix.State(sgd.momentum() > 0, false, movesUntouchedRows(sgd));
    };
  }

  private static boolean movesUntouchedRows(OptimizerSpec.Sgd sgd) {
    return sgd.lazyDecay() == OptimizerSpec.LazyDecay.EXACT
        && (sgd.momentum() > 0 || sgd.decay() > 0);
  }

  /**
   * Begins the next step; the first is step 0. A resumed run begins and ends all steps that were
   * done with their learning rates again, before it goes on.
   *
   * @param learningRate of this step
   */
  public void beginStep(double learningRate) {
    rate = (float) learningRate;
  }

  /** Ends the running step: rows without a gradient have missed it. */
  public void endStep() {
    catchUp.advance(rate);
  }

  /** Whether rows must be caught up before use; false when they only move by their gradient. */
  public boolean needsCatchUp() {
    return rows.state().lastStep();
  }

  /**
   * Brings rows to memory, if they lie on disk, and applies the steps that they have missed; before
   * they are used.
   *
   * @param count number of rows
   * @param rowAt from [0, count) to distinct rows
   */
  public void catchUp(int count, IntUnaryOperator rowAt, Workers workers) {
    rows.fetch(count, rowAt, workers);
    if (!needsCatchUp()) {
      return;
    }
    int numTasks = Math.ceilDiv(count, ROWS_PER_TASK);
    workers.run(
        numTasks,
        (task, worker) -> {
          double[] product = new double[4];
          int from = task * ROWS_PER_TASK;
          int to = from + Math.min(ROWS_PER_TASK, count - from);
          for (int i = from; i < to; i++) {
            catchUp(rowAt.applyAsInt(i), product, worker);
          }
        });
  }

  /** Catches up all rows: before they are all scored, evaluated or saved in a model. */
  public void catchUpAll(Workers workers) {
    int most = rows.mostFetched();
    for (int from = 0; needsCatchUp() && from < rows.numRows(); ) {
      int first = from;
      int count = Math.min(most, rows.numRows() - first);
      catchUp(count, i -> first + i, workers);
      from += count;
    }
  }

  private void catchUp(int row, double[] product, int worker) {
    int toStep = Math.toIntExact(catchUp.numSteps());
    int fromStep = rows.lastStep(row);
    if (fromStep == toStep) {
      return;
    }
    catchUp.product(fromStep, toStep, product);
    long w = rows.change(row, scratch(worker, 0), backend);
    if (rows.state().velocity()) {
      long v = rows.changeVelocity(row, scratch(worker, 1), backend);
      backend.transform(
          w,
          v,
          rows.stride(),
          (float) product[0],
          (float) product[1],
          (float) product[2],
          (float) product[3]);
      rows.writeVelocity(row, v, key(row, CAUGHT_UP_VELOCITY), backend);
    } else {
      backend.scaled(w, (float) product[3], rows.stride(), w);
    }
    rows.write(row, w, key(row, CAUGHT_UP), backend);
    rows.setLastStep(row, toStep);
    listener.moved(row, worker);
  }

  private long scratch(int worker, int slot) {
    return scratch.address() + 4L * rows.stride() * (2 * worker + slot);
  }

  /** Of the random bits by which a row is rounded in this step. */
  private int key(int row, int change) {
    return rows.format() == RowFormat.FP32
        ? 0
        : (int) Hash.key(row, 4 * catchUp.numSteps() + change);
  }

  @Override
  public void update(int row, long gradient, int worker) {
    switch (spec) {
      case OptimizerSpec.AdaGrad(double epsilon) -> adaGrad(row, gradient, epsilon, worker);
      case OptimizerSpec.Sgd sgd -> sgd(row, gradient, sgd, worker);
    }
    listener.moved(row, worker);
  }

  private void adaGrad(int row, long gradient, double epsilon, int worker) {
    int stride = rows.stride();
    float squares = backend.dot(gradient, gradient, stride) / rows.width();
    float sum = rows.accumulator(row) + squares;
    rows.setAccumulator(row, sum);
    float factor = (float) (-rate / (Math.sqrt(sum) + epsilon));
    long w = rows.change(row, scratch(worker, 0), backend);
    backend.addScaled(gradient, factor, stride, w);
    rows.write(row, w, key(row, MOVED), backend);
  }

  private void sgd(int row, long gradient, OptimizerSpec.Sgd sgd, int worker) {
    long w = rows.change(row, scratch(worker, 0), backend);
    int stride = rows.stride();
    if (rows.state().velocity()) {
      long v = rows.changeVelocity(row, scratch(worker, 1), backend);
      backend.momentumStep(
          w,
          v,
          gradient,
          stride,
          rate,
          (float) sgd.momentum(),
          (float) sgd.decay(),
          sgd.nesterov());
      rows.writeVelocity(row, v, key(row, MOVED_VELOCITY), backend);
    } else {
      if (sgd.decay() > 0) {
        backend.scaled(w, (float) (1 - rate * sgd.decay()), stride, w);
      }
      backend.addScaled(gradient, -rate, stride, w);
    }
    rows.write(row, w, key(row, MOVED), backend);
    if (needsCatchUp()) {
      rows.setLastStep(row, Math.toIntExact(catchUp.numSteps()) + 1);
    }
  }
}
