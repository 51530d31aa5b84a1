// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.compute.RowUpdate;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.loss.Loss;
import megaclass.loss.LossDefinition.Active;
import megaclass.loss.LossDefinition.Batch;
import megaclass.loss.LossDefinition.Head;
import megaclass.loss.SoftmaxHead;
import megaclass.select.ActiveClasses;
import megaclass.weights.ClassWeights;

/**
 * The path that training takes, for values given in double: frozen embeddings and class weights in
 * float32, packed and put through the tiled head. Must be closed.
 */
final class Float32Head implements AutoCloseable {
  private final int dim;
  private final Engine engine;
  private final ClassWeights weights;
  private final Embeddings embeddings;
  private final SoftmaxHead head;
  private ActiveClasses active = ActiveClasses.all(1, new int[0]);

  /**
   * Takes over the weights.
   *
   * @param batchSize of the largest batch
   * @param state what the optimizer keeps of each class weight
   */
  Float32Head(Loss loss, Head start, int batchSize, RowMatrix.State state, Engine engine) {
    this.engine = engine;
    dim = start.weights()[0].length;
    weights = ClassWeights.allocate(start.weights().length, dim, loss.bias(), state);
    for (int c = 0; c < weights.numClasses(); c++) {
      for (int j = 0; j < dim; j++) {
        weights.matrix().set(c, j, (float) start.weights()[c][j]);
      }
      if (loss.bias()) {
        weights.matrix().set(c, dim, (float) start.bias()[c]);
      }
    }
    var shape = new Embeddings.Shape(dim, loss.normalised(), loss.bias());
    embeddings = new Embeddings(batchSize, shape, engine);
    head = new SoftmaxHead(loss, weights, batchSize, engine);
  }

  /** Class weights, with the bias in column dim. */
  RowMatrix weights() {
    return weights.matrix();
  }

  /** Mean loss of a batch; classes are put in ascending order, as the head wants them. */
  double forward(Batch batch, Active given) {
    float[][] features =
        Stream.of(batch.features()).map(Float32Head::floats).toArray(float[][]::new);
    String[] labels = new String[features.length];
    Arrays.fill(labels, "unused");
    try (var data = Dataset.of(features, labels);
        var backbone = new FrozenBackbone(dim)) {
      var all = MiniBatch.range(data, 0, features.length);
      backbone.read(all, true);
      embeddings.begin(features.length);
      backbone.forward(embeddings);
      embeddings.pack(all);
    }
    active = ascending(given, batch.classIds());
    return head.forward(embeddings, active);
  }

  double exampleLoss(int sample) {
    return head.exampleLoss(sample);
  }

  /** Passes on the gradients of the class weights of the last batch. */
  void backward(RowUpdate update) {
    head.backward(embeddings, active, update);
  }

  /** Gradients of the class weights of the last batch, (numClasses, dim and bias). */
  double[][] weightGradients() {
    try (var sums = new RowMatrix(weights.numClasses(), weights().width(), RowMatrix.State.NONE)) {
      backward(
          (row, gradient, _) ->
              engine.backend().addScaled(gradient, 1f, sums.stride(), sums.address(row)));
      return values(sums);
    }
  }

  /** Gradients of the features after {@link #backward}, (batch, dim). */
  double[][] featureGradients() {
    double[][] gradients = new double[embeddings.size()][dim];
    for (int i = 0; i < gradients.length; i++) {
      int sample = i;
      Arrays.setAll(gradients[i], j -> embeddings.gradient(sample, j));
    }
    return gradients;
  }

  /** All rows of a matrix without their padding. */
  static double[][] values(RowMatrix matrix) {
    double[][] values = new double[matrix.numRows()][matrix.width()];
    for (int c = 0; c < values.length; c++) {
      int row = c;
      Arrays.setAll(values[c], j -> matrix.get(row, j));
    }
    return values;
  }

  private static ActiveClasses ascending(Active given, int[] targets) {
    int[] classIds = given.classIds();
    int[] order =
        IntStream.range(0, classIds.length)
            .boxed()
            .sorted(Comparator.comparingInt(i -> classIds[i]))
            .mapToInt(i -> i)
            .toArray();
    float[] logWeights = new float[order.length];
    for (int i = 0; i < order.length; i++) {
      logWeights[i] = (float) given.logWeights()[order[i]];
    }
    return ActiveClasses.of(
        Arrays.stream(order).map(i -> classIds[i]).toArray(), logWeights, targets);
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int j = 0; j < floats.length; j++) {
      floats[j] = (float) values[j];
    }
    return floats;
  }

  @Override
  public void close() {
    head.close();
    embeddings.close();
    weights.close();
  }
}
