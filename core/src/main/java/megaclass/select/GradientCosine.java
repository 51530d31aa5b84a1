// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static megaclass.compute.ComputeBackend.PANEL;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;

/**
 * How far the gradient of the loss by the embeddings, under some active classes and their log
 * weights, points where that under all classes does. Of the softmax without a margin.
 *
 * <p>Gradients of all samples are taken as one vector, so that samples whose gradient is hardly
 * there hardly count, but those whose gradient the choice misses do. The squared cosine is what a
 * step along the first direction gains of what one along the second gains, with the best length of
 * each. Tiles are dealt to a fixed number of chunks whose sums are added in order, so that nothing
 * depends on the number of threads.
 */
final class GradientCosine {
  private static final int TILE_ROWS = 128;
  private static final int NUM_CHUNKS = 16;

  private final SelectionProblem problem;
  private final Workers workers;
  private final ComputeBackend backend;
  private final RowMatrix rows;
  private final Scratch[] scratch;
  private final Sums[] sums = new Sums[NUM_CHUNKS];
  private float[][] full = {};

  GradientCosine(SelectionProblem problem) {
    this.problem = problem;
    workers = problem.engine().workers();
    backend = problem.engine().backend();
    rows = problem.weights().matrix();
    scratch = new Scratch[workers.threads()];
    Arrays.setAll(scratch, _ -> new Scratch(problem));
    Arrays.setAll(sums, _ -> new Sums(rows.stride()));
  }

  /** Operands of one thread. */
  private static final class Scratch {
    final LogitTile classes;
    final MemorySegment logits = floats(TILE_ROWS * PANEL);
    final MemorySegment max = floats(PANEL);
    final MemorySegment packed;

    Scratch(SelectionProblem problem) {
      classes = new LogitTile(problem, TILE_ROWS);
      packed = floats(TILE_ROWS * problem.weights().matrix().stride());
    }
  }

  /** Of one chunk: sum of exp(logit - max) and of the same times the weights. */
  private static final class Sums {
    final MemorySegment max = floats(PANEL);
    final MemorySegment ofExp = floats(PANEL);
    final MemorySegment ofWeights;

    Sums(int stride) {
      ofWeights = floats(stride * PANEL);
    }
  }

  private static MemorySegment floats(int count) {
    return NativeMemory.allocate(4L * count, Arena.ofAuto());
  }

  /**
   * Takes in the gradients under all classes.
   *
   * @param panel address of the first samples, as {@link megaclass.backbone.Embeddings#panel}
   * @param targets of these samples, at most 64
   */
  void measure(long panel, int[] targets) {
    full = gradients(panel, ActiveClasses.all(problem.weights().numClasses(), targets), targets);
  }

  /**
   * Cosine of the gradients of the samples measured last, in [-1, 1]; the panel and targets as they
   * were.
   */
  double of(ActiveClasses active, long panel, int[] targets) {
    float[][] chosen = gradients(panel, active, targets);
    double product = 0;
    double ofChosen = 0;
    double ofFull = 0;
    for (int i = 0; i < full.length; i++) {
      product += dot(chosen[i], full[i]);
      ofChosen += dot(chosen[i], chosen[i]);
      ofFull += dot(full[i], full[i]);
    }
    double squares = ofChosen * ofFull;
    return squares == 0 ? 1 : product / Math.sqrt(squares);
  }

  private float[][] gradients(long panel, ActiveClasses active, int[] targets) {
    int numTiles = Math.ceilDiv(active.numActive(), TILE_ROWS);
    workers.run(
        NUM_CHUNKS,
        (chunk, worker) -> {
          clear(sums[chunk]);
          for (int tile = chunk; tile < numTiles; tile += NUM_CHUNKS) {
            add(tile, active, panel, scratch[worker], sums[chunk]);
          }
        });
    var rowsOfSamples = new float[targets.length][];
    for (int i = 0; i < targets.length; i++) {
      rowsOfSamples[i] = gradient(i, panel, targets[i]);
    }
    return rowsOfSamples;
  }

  private static void clear(Sums of) {
    for (int lane = 0; lane < PANEL; lane++) {
      set(of.max, lane, Float.NEGATIVE_INFINITY);
    }
    of.ofExp.fill((byte) 0);
    of.ofWeights.fill((byte) 0);
  }

  private void add(int tile, ActiveClasses active, long panel, Scratch own, Sums into) {
    int from = tile * TILE_ROWS;
    int count = Math.min(TILE_ROWS, active.numActive() - from);
    int padded =
        own.classes.gather(count, r -> active.classId(from + r), r -> active.logWeight(from + r));
    own.classes.score(panel, own.logits.address());
    backend.columnMax(own.logits.address(), padded, own.max.address());
    raise(own.max, into);
    backend.expAndSum(own.logits.address(), padded, into.max.address(), into.ofExp.address());
    int stride = rows.stride();
    own.classes.pack(own.packed.address());
    backend.embeddingGradient(
        own.packed.address(),
        stride,
        own.logits.address(),
        padded,
        stride,
        into.ofWeights.address());
  }

  /** Raises the largest logits; what is summed so far is of the smaller ones. */
  private static void raise(MemorySegment max, Sums into) {
    for (int lane = 0; lane < PANEL; lane++) {
      float before = get(into.max, lane);
      float now = get(max, lane);
      if (now > before) {
        set(into.max, lane, now);
        rescale(into, lane, (float) Math.exp(before - now));
      }
    }
  }

  private static void rescale(Sums of, int lane, float factor) {
    set(of.ofExp, lane, get(of.ofExp, lane) * factor);
    for (long at = lane; at < of.ofWeights.byteSize() / 4; at += PANEL) {
      set(of.ofWeights, at, get(of.ofWeights, at) * factor);
    }
  }

  /** Mean weight under the softmax minus the target's; along the sphere if embeddings are on it. */
  private float[] gradient(int lane, long panel, int target) {
    float max = Float.NEGATIVE_INFINITY;
    for (Sums of : sums) {
      max = Math.max(max, get(of.max, lane));
    }
    var gradient = new float[problem.weights().dim()];
    double z = 0;
    for (Sums of : sums) {
      double factor = Math.exp(get(of.max, lane) - max);
      z += factor * get(of.ofExp, lane);
      for (int j = 0; j < gradient.length; j++) {
        gradient[j] += (float) (factor * get(of.ofWeights, (long) j * PANEL + lane));
      }
    }
    double scale = problem.scale();
    if (problem.normalised()) {
      long row = rows.read(target, scratch[0].packed.address(), backend);
      scale *= backend.inverseNorm(row, rows.stride());
    }
    for (int j = 0; j < gradient.length; j++) {
      gradient[j] = (float) (gradient[j] / z - scale * rows.get(target, j));
    }
    return problem.normalised() ? alongSphere(gradient, lane, panel) : gradient;
  }

  private static float[] alongSphere(float[] gradient, int lane, long panel) {
    var embeddings = MemorySegment.ofAddress(panel).reinterpret(4L * PANEL * gradient.length);
    var x = new float[gradient.length];
    for (int j = 0; j < x.length; j++) {
      x[j] = get(embeddings, (long) j * PANEL + lane);
    }
    double along = dot(gradient, x) / Math.max(dot(x, x), Float.MIN_NORMAL);
    for (int j = 0; j < x.length; j++) {
      gradient[j] -= (float) (along * x[j]);
    }
    return gradient;
  }

  private static double dot(float[] a, float[] b) {
    double product = 0;
    for (int j = 0; j < a.length; j++) {
      product += (double) a[j] * b[j];
    }
    return product;
  }

  private static float get(MemorySegment of, long index) {
    return of.get(JAVA_FLOAT_UNALIGNED, 4 * index);
  }

  private static void set(MemorySegment of, long index, float value) {
    of.set(JAVA_FLOAT_UNALIGNED, 4 * index, value);
  }
}
