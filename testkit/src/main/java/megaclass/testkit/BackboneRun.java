// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import megaclass.backbone.Backbone;
import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.MiniBatch;

/**
 * A backbone with embeddings to write to, and a smooth function of the embeddings whose gradient it
 * gets: the sum over all values e of (c e + e^2 / 2), with a random c for each.
 */
final class BackboneRun implements AutoCloseable {
  private final Engine engine;
  private final Backbone backbone;
  private final Embeddings embeddings;

  /** What backward said: the gradient of each row that got one, and how often each did. */
  record Gradients(SortedMap<Integer, List<Float>> byRow, List<Integer> rowsInOrderOfCalls) {}

  /** Takes over engine and backbone, to be closed with this. */
  BackboneRun(Engine engine, Backbone backbone, int capacity) {
    this.engine = engine;
    this.backbone = backbone;
    var shape = new Embeddings.Shape(backbone.dim(), false, false);
    embeddings = new Embeddings(capacity, shape, engine);
  }

  Backbone backbone() {
    return backbone;
  }

  /**
   * Reads a batch and embeds it.
   *
   * @return (batch, stride): embeddings with what stands behind them in their rows
   */
  List<List<Float>> embed(MiniBatch batch, boolean training) {
    backbone.read(batch, training);
    embeddings.begin(batch.size());
    backbone.forward(embeddings);
    return IntStream.range(0, batch.size())
        .mapToObj(i -> floats(embeddings.row(i), embeddings.stride()))
        .toList();
  }

  /** The rows that the batch read last touches. */
  List<Integer> touched() {
    return IntStream.range(0, backbone.numTouched()).mapToObj(backbone::touched).toList();
  }

  /** The function of the embeddings of a training batch. */
  double value(MiniBatch batch) {
    double sum = 0;
    List<List<Float>> rows = embed(batch, true);
    double[][] factors = factors(batch.size());
    for (int i = 0; i < batch.size(); i++) {
      for (int j = 0; j < backbone.dim(); j++) {
        double e = rows.get(i).get(j);
        sum += factors[i][j] * e + e * e / 2;
      }
    }
    return sum;
  }

  /** The gradient of the function by the rows that a training batch touches. */
  Gradients gradients(MiniBatch batch) {
    List<List<Float>> rows = embed(batch, true);
    double[][] factors = factors(batch.size());
    for (int i = 0; i < batch.size(); i++) {
      var gradient = segment(embeddings.gradientRow(i), embeddings.stride()).fill((byte) 0);
      for (int j = 0; j < backbone.dim(); j++) {
        float value = (float) (factors[i][j] + rows.get(i).get(j));
        gradient.set(JAVA_FLOAT_UNALIGNED, 4L * j, value);
      }
    }
    var byRow = new TreeMap<Integer, List<Float>>();
    var calls = new ArrayList<Integer>();
    RowMatrix parameters = backbone.parameters();
    int stride = parameters == null ? 0 : parameters.stride();
    backbone.backward(
        embeddings,
        (row, gradient, _) -> {
          List<Float> values = floats(gradient, stride);
          synchronized (calls) {
            byRow.put(row, values);
            calls.add(row);
          }
        });
    return new Gradients(byRow, calls);
  }

  /** c, (batch, dim): large enough that gradients of means over many tokens are about 1. */
  private double[][] factors(int batchSize) {
    var random = new SplittableRandom(13);
    var factors = new double[batchSize][backbone.dim()];
    for (double[] row : factors) {
      Arrays.setAll(row, _ -> 10 * random.nextGaussian());
    }
    return factors;
  }

  private static List<Float> floats(long address, int count) {
    float[] values = segment(address, count).toArray(JAVA_FLOAT_UNALIGNED);
    return IntStream.range(0, count).mapToObj(j -> values[j]).toList();
  }

  private static MemorySegment segment(long address, int floats) {
    return MemorySegment.ofAddress(address).reinterpret(4L * floats);
  }

  @Override
  public void close() {
    embeddings.close();
    backbone.close();
    engine.close();
  }
}
