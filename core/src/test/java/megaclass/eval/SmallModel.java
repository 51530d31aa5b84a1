// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import megaclass.TestBackend;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.loss.Loss;
import megaclass.weights.ClassWeights;
import org.jspecify.annotations.Nullable;

/**
 * Random class weights under a loss, and their logits by plain loops in double.
 *
 * <p>With {@code whole} numbers all values are in {-1, 0, 1}, so that inner products are exact and
 * often equal.
 */
final class SmallModel {
  private final Loss loss;
  private final int dim;
  private final float[][] weights;

  SmallModel(Loss loss, SplittableRandom random, int numClasses, int dim, boolean whole) {
    this(loss, dim, matrix(random, numClasses, dim + (loss.bias() ? 1 : 0), whole));
  }

  /** Of given weights, (numClasses, dim), with the bias behind them. */
  SmallModel(Loss loss, int dim, float[][] weights) {
    this.loss = loss;
    this.dim = dim;
    this.weights = weights;
  }

  static float[][] matrix(SplittableRandom random, int rows, int columns, boolean whole) {
    float[][] matrix = new float[rows][columns];
    for (float[] row : matrix) {
      for (int j = 0; j < columns; j++) {
        row[j] = whole ? random.nextInt(3) - 1 : (float) random.nextGaussian();
      }
    }
    return matrix;
  }

  Loss loss() {
    return loss;
  }

  /** The logits of all classes, (numClasses). */
  double[] logits(float[] features) {
    double[] logits = new double[weights.length];
    for (int c = 0; c < logits.length; c++) {
      double product = product(features, weights[c]);
      logits[c] =
          loss.normalised()
              ? loss.scale()
                  * product
                  / Math.sqrt(product(features, features) * product(weights[c], weights[c]))
              : product + (loss.bias() ? weights[c][dim] : 0);
    }
    return logits;
  }

  private double product(float[] a, float[] b) {
    double product = 0;
    for (int j = 0; j < dim; j++) {
      product += (double) a[j] * b[j];
    }
    return product;
  }

  static double logSumExp(double[] logits) {
    double max = Arrays.stream(logits).max().orElseThrow();
    return max + Math.log(Arrays.stream(logits).map(z -> Math.exp(z - max)).sum());
  }

  /** Work with an evaluator of this model. */
  interface Use {
    void with(Evaluator evaluator);
  }

  void evaluator(int k, int threads, Use use) {
    evaluator(k, null, threads, use);
  }

  void evaluator(int k, @Nullable Recall recall, int threads, Use use) {
    classes(
        threads,
        (classes, engine) -> {
          try (var backbone = new FrozenBackbone(dim);
              var evaluator =
                  new Evaluator(new Evaluator.Model(backbone, classes, loss), k, recall, engine)) {
            use.with(evaluator);
          }
        });
  }

  /** Works with the class weights. */
  void classes(int threads, BiConsumer<ClassWeights, Engine> use) {
    try (var engine = Engine.start(TestBackend.NAME, threads);
        var classes =
            ClassWeights.allocate(weights.length, dim, loss.bias(), RowMatrix.State.NONE)) {
      for (int c = 0; c < weights.length; c++) {
        for (int j = 0; j < weights[c].length; j++) {
          classes.matrix().set(c, j, weights[c][j]);
        }
      }
      use.accept(classes, engine);
    }
  }

  /** Receives a batch that was scored with all classes. */
  interface Look {
    void at(MiniBatch batch, Embeddings embeddings, ClassScorer scorer);
  }

  void score(float[][] features, int k, int threads, Look look) {
    String[] labels = new String[features.length];
    Arrays.fill(labels, "unused");
    try (var data = Dataset.of(features, labels)) {
      evaluator(
          k,
          threads,
          evaluator ->
              evaluator.forEachBatch(
                  data,
                  (batch, embeddings, scorer) -> look.at(batch, embeddings, (ClassScorer) scorer)));
    }
  }
}
