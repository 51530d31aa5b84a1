// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.TestBackend;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.weights.ClassWeights;

/** A packed batch over some class weights: what a selector chooses for. */
final class Problem implements AutoCloseable {
  final Engine engine;
  final ClassWeights weights;
  final Embeddings embeddings;
  final float[][] features;
  final int[] targets;

  /**
   * Lays out a batch as it is, without taking it to unit length.
   *
   * @param weights (numClasses, dim)
   * @param features (batch, dim)
   * @param targets (batch)
   */
  Problem(float[][] weights, float[][] features, int[] targets) {
    this.features = features;
    this.targets = targets;
    int dim = features[0].length;
    engine = Engine.start(TestBackend.NAME, 2);
    this.weights = ClassWeights.allocate(weights.length, dim, false, RowMatrix.State.NONE);
    for (int c = 0; c < weights.length; c++) {
      for (int j = 0; j < dim; j++) {
        this.weights.matrix().set(c, j, weights[c][j]);
      }
    }
    embeddings = new Embeddings(features.length, new Embeddings.Shape(dim, false, false), engine);
    String[] labels =
        IntStream.range(0, features.length).mapToObj(String::valueOf).toArray(String[]::new);
    try (var data = Dataset.of(features, labels);
        var backbone = new FrozenBackbone(dim)) {
      var batch = MiniBatch.range(data, 0, features.length);
      backbone.read(batch, false);
      embeddings.begin(features.length);
      backbone.forward(embeddings);
      embeddings.pack(batch);
    }
  }

  /** Normal random weights and features. */
  static Problem random(int numClasses, int dim, int batch, long seed) {
    var random = new SplittableRandom(seed);
    return new Problem(
        normal(random, numClasses, dim),
        normal(random, batch, dim),
        random.ints(batch, 0, numClasses).toArray());
  }

  private static float[][] normal(SplittableRandom random, int rows, int columns) {
    var matrix = new float[rows][columns];
    for (float[] row : matrix) {
      for (int j = 0; j < columns; j++) {
        row[j] = (float) (random.nextGaussian() / Math.sqrt(columns));
      }
    }
    return matrix;
  }

  ClassSelector selector(String spec, boolean normalised, long seed) {
    return ClassSelector.of(
        SelectorSpec.parse(spec),
        new SelectionProblem(
            weights, normalised, normalised ? 16 : 1, targets.length, seed, engine));
  }

  ActiveClasses select(ClassSelector selector, long step) {
    return selector.select(embeddings, targets, step);
  }

  static int[] ids(ActiveClasses active) {
    return IntStream.range(0, active.numActive()).map(active::classId).toArray();
  }

  static float[] logWeights(ActiveClasses active) {
    var weights = new float[active.numActive()];
    for (int j = 0; j < weights.length; j++) {
      weights[j] = active.logWeight(j);
    }
    return weights;
  }

  /** The weight of a class, (dim). */
  float[] weight(int classId) {
    var row = new float[weights.dim()];
    for (int j = 0; j < row.length; j++) {
      row[j] = weights.matrix().get(classId, j);
    }
    return row;
  }

  int[] distinctTargets() {
    return Arrays.stream(targets).distinct().sorted().toArray();
  }

  @Override
  public void close() {
    embeddings.close();
    weights.close();
    engine.close();
  }
}
