// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static megaclass.compute.ComputeBackend.PANEL;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import megaclass.compute.NativeMemory;
import megaclass.compute.Workers;

/**
 * How much of the softmax the largest K classes of a sample hold: CP_K of HF-Softmax, by exact
 * logits of all classes. Logits are counted by how far they are below the largest one, in steps of
 * a 64th of a nat, so that nothing is kept for each class and CP_K is right to one in a hundred.
 */
final class MassCurve {
  /** Rows of a tile: at dim 128 they and their logits with a panel fill half a level-2 cache. */
  private static final int TILE_ROWS = 128;

  private static final int STEPS_PER_NAT = 64;

  /** Forty nats below the largest logit there is nothing left to count. */
  private static final int NUM_STEPS = 40 * STEPS_PER_NAT;

  private final SelectionProblem problem;
  private final Workers workers;
  private final Scratch[] scratch;

  /** Logits at each step below the largest one of a sample, (PANEL, NUM_STEPS). */
  private final long[] counts = new long[PANEL * NUM_STEPS];

  private final float[] max = new float[PANEL];
  private int samples;

  MassCurve(SelectionProblem problem) {
    this.problem = problem;
    this.workers = problem.engine().workers();
    scratch = new Scratch[workers.threads()];
    Arrays.setAll(scratch, _ -> new Scratch(problem));
  }

  /** Operands and sums of one thread. */
  private static final class Scratch {
    final LogitTile classes;
    final MemorySegment tile = NativeMemory.allocate(4L * TILE_ROWS * PANEL, Arena.ofAuto());
    final float[] max = new float[PANEL];
    final int[] counts = new int[PANEL * NUM_STEPS];

    Scratch(SelectionProblem problem) {
      classes = new LogitTile(problem, TILE_ROWS);
    }

    /** Logits of a tile of classes, those beyond the last one -infinity; returns how many rows. */
    int score(int number, int numClasses, IntUnaryOperator classAt, long panel) {
      int from = number * TILE_ROWS;
      int count = Math.min(TILE_ROWS, numClasses - from);
      int padded = classes.gather(count, r -> classAt.applyAsInt(from + r));
      classes.score(panel, tile.address());
      return padded;
    }

    float logit(int row, int lane) {
      return tile.get(JAVA_FLOAT_UNALIGNED, 4L * (row * PANEL + lane));
    }
  }

  /**
   * Takes in all classes for some samples.
   *
   * @param panel address of their embeddings, as {@link megaclass.backbone.Embeddings#panel}
   * @param samples how many of the panel's 64 there are
   */
  void measure(long panel, int samples) {
    this.samples = samples;
    Arrays.fill(max, Float.NEGATIVE_INFINITY);
    for (Scratch own : scratch) {
      Arrays.fill(own.max, Float.NEGATIVE_INFINITY);
      Arrays.fill(own.counts, 0);
    }
    int all = problem.weights().numClasses();
    int numTiles = Math.ceilDiv(all, TILE_ROWS);
    workers.run(
        numTiles, (tile, w) -> raise(scratch[w].score(tile, all, c -> c, panel), scratch[w]));
    for (Scratch own : scratch) {
      for (int lane = 0; lane < PANEL; lane++) {
        max[lane] = Math.max(max[lane], own.max[lane]);
      }
    }
    workers.run(
        numTiles, (tile, w) -> count(scratch[w].score(tile, all, c -> c, panel), scratch[w]));
    Arrays.fill(counts, 0);
    for (Scratch own : scratch) {
      Arrays.setAll(counts, i -> counts[i] + own.counts[i]);
    }
  }

  /**
   * Probability that some classes hold, of the samples that were measured last; their mean.
   *
   * @param panel as it was then
   */
  double heldBy(ActiveClasses active, long panel) {
    Scratch own = scratch[0];
    double[] held = new double[samples];
    for (int tile = 0; tile < Math.ceilDiv(active.numActive(), TILE_ROWS); tile++) {
      int padded = own.score(tile, active.numActive(), active::classId, panel);
      for (int r = 0; r < padded; r++) {
        for (int lane = 0; lane < samples; lane++) {
          held[lane] += Math.exp(own.logit(r, lane) - max[lane]);
        }
      }
    }
    double total = 0;
    for (int lane = 0; lane < samples; lane++) {
      total += Math.min(1, held[lane] / sumUpTo(Long.MAX_VALUE, lane));
    }
    return total / samples;
  }

  private static void raise(int padded, Scratch own) {
    for (int r = 0; r < padded; r++) {
      for (int lane = 0; lane < PANEL; lane++) {
        own.max[lane] = Math.max(own.max[lane], own.logit(r, lane));
      }
    }
  }

  private void count(int padded, Scratch own) {
    for (int r = 0; r < padded; r++) {
      for (int lane = 0; lane < samples; lane++) {
        int step = (int) ((max[lane] - own.logit(r, lane)) * STEPS_PER_NAT);
        if (step < NUM_STEPS) {
          own.counts[lane * NUM_STEPS + step]++;
        }
      }
    }
  }

  /** CP_K: probability of the {@code k} largest classes of a sample, mean over the samples. */
  double at(long k) {
    double total = 0;
    for (int lane = 0; lane < samples; lane++) {
      total += sumUpTo(k, lane) / sumUpTo(Long.MAX_VALUE, lane);
    }
    return total / samples;
  }

  /** Sum of exp(logit - largest) over the k largest logits of a sample. */
  private double sumUpTo(long k, int lane) {
    double sum = 0;
    long left = k;
    for (int step = 0; step < NUM_STEPS && left > 0; step++) {
      long count = Math.min(left, counts[lane * NUM_STEPS + step]);
      sum += count * Math.exp(-(step + 0.5) / STEPS_PER_NAT);
      left -= count;
    }
    return sum;
  }

  /** The smallest k up to {@code most} with CP_k of at least {@code mass}; {@code most} if none. */
  int fewest(double mass, int most) {
    int low = 1;
    int high = most;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (at(middle) >= mass) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}
