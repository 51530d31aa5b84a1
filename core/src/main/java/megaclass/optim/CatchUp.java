// SPDX-License-Identifier: Apache-2.0
package megaclass.optim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import megaclass.internal.Check;

/**
 * What the dense SGD steps that a row missed would have done to it, as one 2x2 matrix.
 *
 * <p>A step with gradient 0 and learning rate h takes each coordinate's velocity v and weight w to
 *
 * <pre>
 * plain:     v' = u v + d w;  w' = w - h v'              A = [[u, d], [-h u,   1 - h d      ]]
 * nesterov:  v' = u v + d w;  w' = w - h (d w + u v')    A = [[u, d], [-h u^2, 1 - h d (1+u)]]
 * </pre>
 *
 * with momentum u and decay d. The matrix is the same for all coordinates of a row, so the steps
 * that a row missed are caught up by one product of such matrices. Products over aligned blocks of
 * 4, 8, 16, ... steps are kept, so that a product takes time logarithmic in its number of steps;
 * memory is about 24 bytes a step.
 *
 * <p>{@link #advance} needs exclusive access; {@link #product} may be called from many threads
 * between two advances.
 */
public final class CatchUp {
  /** Blocks hold 4 steps or more; the matrices of single steps are made from the learning rate. */
  private static final int SMALLEST_BLOCK_LOG = 2;

  private final double momentum;
  private final double decay;
  private final boolean nesterov;
  private int numSteps;
  private double[] learningRates = new double[64];

  /** Matrices of the complete blocks of {@code 4 << level} steps, one after another, by level. */
  private final List<double[]> blocks = new ArrayList<>();

  /** Takes momentum, decay and nesterov of an optimizer. */
  public CatchUp(OptimizerSpec.Sgd sgd) {
    this.momentum = sgd.momentum();
    this.decay = sgd.decay();
    this.nesterov = sgd.nesterov();
  }

  /** Number of steps added so far. */
  public long numSteps() {
    return numSteps;
  }

  /** Adds one step, which gets the number {@link #numSteps}. */
  public void advance(double learningRate) {
    learningRates = withRoom(learningRates, numSteps + 1);
    learningRates[numSteps] = learningRate;
    numSteps++;
    double[] product = new double[4];
    for (int log = SMALLEST_BLOCK_LOG; numSteps % (1 << log) == 0; log++) {
      product(numSteps - (1 << log), numSteps, log - 1, product);
      int level = log - SMALLEST_BLOCK_LOG;
      if (level == blocks.size()) {
        blocks.add(new double[16]);
      }
      int numBlocks = numSteps >> log;
      blocks.set(level, withRoom(blocks.get(level), 4 * numBlocks));
      System.arraycopy(product, 0, blocks.get(level), 4 * (numBlocks - 1), 4);
    }
  }

  /**
   * The product of the matrices of steps {@code from} (inclusive) to {@code to} (exclusive), the
   * later ones on the left.
   *
   * @param into (4), the rows of the matrix: v' = into[0] v + into[1] w; w' = into[2] v + into[3] w
   * @throws IllegalArgumentException unless {@code 0 <= from <= to <= numSteps()}
   */
  public void product(long from, long to, double[] into) {
    Check.inRange("to", to, 0, numSteps);
    Check.inRange("from", from, 0, to);
    product((int) from, (int) to, Integer.SIZE - 2, into);
  }

  private void product(int from, int to, int largestLog, double[] into) {
    into[0] = 1.0;
    into[1] = 0.0;
    into[2] = 0.0;
    into[3] = 1.0;
    int at = from;
    while (at < to) {
      int alignedLog = at == 0 ? largestLog : Integer.numberOfTrailingZeros(at);
      int fittingLog = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(to - at);
      int log = Math.min(largestLog, Math.min(alignedLog, fittingLog));
      if (log < SMALLEST_BLOCK_LOG) {
        multiplyByStep(learningRates[at], into);
        at++;
      } else {
        double[] a = blocks.get(log - SMALLEST_BLOCK_LOG);
        int i = 4 * (at >> log);
        multiply(a[i], a[i + 1], a[i + 2], a[i + 3], into);
        at += 1 << log;
      }
    }
  }

  private void multiplyByStep(double h, double[] into) {
    double u = momentum;
    double d = decay;
    if (nesterov) {
      multiply(u, d, -h * u * u, 1.0 - h * d * (1.0 + u), into);
    } else {
      multiply(u, d, -h * u, 1.0 - h * d, into);
    }
  }

  /** into = A into, with A = [[vv, vw], [wv, ww]]. */
  private static void multiply(double vv, double vw, double wv, double ww, double[] into) {
    double v0 = vv * into[0] + vw * into[2];
    double v1 = vv * into[1] + vw * into[3];
    double w0 = wv * into[0] + ww * into[2];
    double w1 = wv * into[1] + ww * into[3];
    into[0] = v0;
    into[1] = v1;
    into[2] = w0;
    into[3] = w1;
  }

  private static double[] withRoom(double[] values, int length) {
    return length <= values.length
        ? values
        : Arrays.copyOf(values, Math.max(length, 2 * values.length));
  }
}
