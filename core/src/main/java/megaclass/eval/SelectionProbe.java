// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.data.MiniBatch;
import megaclass.loss.Loss;
import megaclass.loss.SoftmaxHead;
import megaclass.select.ActiveClasses;
import megaclass.weights.ClassWeights;

/**
 * Holds the choice of a selector against the full softmax, for the first samples of a batch: one
 * pass over all classes for their probabilities, and one forth and back for the gradient. It
 * changes nothing and costs less than two steps of exact softmax with 64 samples.
 *
 * <p>Not thread-safe, but works with all threads itself.
 */
public final class SelectionProbe implements AutoCloseable {
  private static final int MAX_SAMPLES = 64;
  private static final int RECALLED = 10;
  private static final int MAX_K = 1000;

  private final ComputeBackend backend;
  private final Engine engine;
  private final Embeddings embeddings;
  private final ClassScorer scorer;
  private final SoftmaxHead head;
  private final int numClasses;

  /**
   * Measures with what a run has.
   *
   * @param weights (numClasses, dim), which must be caught up whenever something is measured
   * @param head over these weights and this loss; lent, since its memory is large
   */
  public SelectionProbe(ClassWeights weights, Loss loss, SoftmaxHead head, Engine engine) {
    this.engine = engine;
    this.head = head;
    this.numClasses = weights.numClasses();
    this.backend = engine.backend();
    var shape = new Embeddings.Shape(weights.dim(), loss.normalised(), loss.bias());
    embeddings = new Embeddings(MAX_SAMPLES, shape, engine);
    scorer = new ClassScorer(weights, loss, Math.min(MAX_K, weights.numClasses()), engine);
  }

  /**
   * Measures.
   *
   * @param batch the batch that the classes were chosen for
   * @param packed its embeddings, (batch, dim)
   * @param active the choice; each sample is held against the classes of its own group
   */
  public SelectionQuality measure(MiniBatch batch, Embeddings packed, ActiveClasses active) {
    int samples = Math.min(MAX_SAMPLES, packed.size());
    embeddings.begin(samples);
    for (int i = 0; i < samples; i++) {
      backend.scaled(packed.row(i), 1f, packed.stride(), embeddings.row(i));
    }
    embeddings.pack(batch);
    scorer.score(embeddings);
    double[] covered = new double[samples];
    double[] bias = new double[samples];
    engine
        .workers()
        .run(samples, (i, worker) -> sumOverActive(i, active.ofSample(i), covered, bias, worker));
    int[] targets = Arrays.copyOf(batch.classIds(), samples);
    var chosen = gradient(active.ofFirst(targets));
    var full = gradient(ActiveClasses.all(numClasses, targets));
    return new SelectionQuality(
        samples,
        active.numActive(),
        (double) active.numActive() / packed.size(),
        Arrays.stream(covered).average().orElseThrow(),
        recall(samples, active),
        Arrays.stream(bias).average().orElseThrow(),
        meanCosine(chosen, full),
        relativeError(chosen, full),
        Collections.unmodifiableMap(cumulativeMass(samples)));
  }

  private void sumOverActive(
      int sample, ActiveClasses active, double[] covered, double[] bias, int worker) {
    double logZ = scorer.logSumExp(sample);
    double mass = 0;
    double estimate = 0;
    for (int j = 0; j < active.numActive(); j++) {
      double logit = scorer.logitOf(embeddings, sample, active.classId(j), worker);
      mass += Math.exp(logit - logZ);
      estimate += Math.exp(logit + active.logWeight(j) - logZ);
    }
    covered[sample] = Math.min(1, mass); // a sum of rounded numbers
    bias[sample] = Math.log(estimate);
  }

  private double recall(int samples, ActiveClasses active) {
    int best = Math.min(RECALLED, scorer.k());
    long hits = 0;
    for (int sample = 0; sample < samples; sample++) {
      ActiveClasses own = active.ofSample(sample);
      for (int rank = 0; rank < best; rank++) {
        if (own.positionOf(scorer.classId(sample, rank)) >= 0) {
          hits++;
        }
      }
    }
    return (double) hits / ((long) samples * best);
  }

  /** Gradient of the mean loss by each sample's embedding, (samples, dim). */
  private float[][] gradient(ActiveClasses active) {
    head.forward(embeddings, active);
    head.backward(embeddings, active, (_, _, _) -> {}); // class weights stay as they are
    float[][] rows = new float[embeddings.size()][];
    for (int i = 0; i < rows.length; i++) {
      var row = MemorySegment.ofAddress(embeddings.gradientRow(i));
      rows[i] = row.reinterpret(4L * embeddings.dim()).toArray(JAVA_FLOAT_UNALIGNED);
    }
    return rows;
  }

  private static double meanCosine(float[][] chosen, float[][] full) {
    double sum = 0;
    for (int i = 0; i < full.length; i++) {
      double squares = dot(chosen[i], chosen[i]) * dot(full[i], full[i]);
      boolean equal = Arrays.equals(chosen[i], full[i]);
      sum += equal ? 1 : squares == 0 ? 0 : dot(chosen[i], full[i]) / Math.sqrt(squares);
    }
    return sum / full.length;
  }

  private static double relativeError(float[][] chosen, float[][] full) {
    double error = 0;
    double all = 0;
    for (int i = 0; i < full.length; i++) {
      float[] difference = chosen[i].clone();
      for (int j = 0; j < difference.length; j++) {
        difference[j] -= full[i][j];
      }
      error += dot(difference, difference);
      all += dot(full[i], full[i]);
    }
    return error == 0 ? 0 : Math.sqrt(error / all);
  }

  private static double dot(float[] a, float[] b) {
    double product = 0;
    for (int j = 0; j < a.length; j++) {
      product += (double) a[j] * b[j];
    }
    return product;
  }

  /** At 1, 2, 5, 10, ... up to 1000 classes. */
  private Map<Integer, Double> cumulativeMass(int samples) {
    var curve = new TreeMap<Integer, Double>();
    for (int sample = 0; sample < samples; sample++) {
      double mass = 0;
      for (int rank = 0; rank < scorer.k(); rank++) {
        mass += Math.exp(scorer.logit(sample, rank) - scorer.logSumExp(sample)) / samples;
        if (isOnGrid(rank + 1)) {
          curve.merge(rank + 1, mass, Double::sum);
        }
      }
    }
    curve.replaceAll((_, mass) -> Math.min(1, mass));
    return curve;
  }

  private static boolean isOnGrid(int k) {
    int power = 1;
    while (10 * power <= k) {
      power *= 10;
    }
    return k == power || k == 2 * power || k == 5 * power;
  }

  @Override
  public void close() {
    embeddings.close();
    scorer.close();
  }
}
