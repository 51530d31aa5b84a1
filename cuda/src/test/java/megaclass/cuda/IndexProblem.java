// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.IntStream;
import megaclass.backbone.Embeddings;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;

/** Class weights in families, on the host and on a device, and embeddings near some of them. */
final class IndexProblem implements AutoCloseable {
  final Device device;
  final RowMatrix matrix;
  final DeviceRows rows;
  final float[][] embeddings;
  final DeviceBuffer packed;
  final DeviceSort sort;

  /**
   * Makes a problem.
   *
   * @param equal whether all class weights are the same, so that there are ties everywhere
   */
  IndexProblem(int numClasses, int dim, int batch, RowFormat format, boolean equal) {
    var random = new SplittableRandom(numClasses + 31L * dim);
    device = HostCuda.open();
    sort = new DeviceSort(device);
    matrix = new RowMatrix(numClasses, dim, new RowMatrix.State(true, false, false), format);
    float[] centre = new float[dim];
    for (int c = 0; c < numClasses; c++) {
      if (c % 10 == 0 && !(equal && c > 0)) {
        for (int j = 0; j < dim; j++) {
          centre[j] = normal(random, dim);
        }
      }
      for (int j = 0; j < dim; j++) {
        matrix.set(c, j, centre[j] + (equal ? 0 : 0.5f * normal(random, dim)));
      }
    }
    rows = new DeviceRows(device, matrix);
    embeddings = new float[batch][dim];
    for (float[] embedding : embeddings) {
      float[] near = row(random.nextInt(numClasses));
      for (int j = 0; j < dim; j++) {
        embedding[j] = near[j] + 0.3f * normal(random, dim);
      }
    }
    packed = DeviceArrays.upload(device, packed(embeddings));
  }

  private static float normal(SplittableRandom random, int dim) {
    return (float) (random.nextGaussian() / Math.sqrt(dim));
  }

  /** Rows one after the other, padded with zeros to whole vectors. */
  static float[] packed(float[][] rows) {
    int stride = ComputeBackend.padded(rows[0].length);
    float[] all = new float[rows.length * stride];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, all, i * stride, rows[i].length);
    }
    return all;
  }

  float[] row(int classId) {
    float[] row = new float[matrix.width()];
    for (int j = 0; j < row.length; j++) {
      row[j] = matrix.get(classId, j);
    }
    return row;
  }

  /** The row as an index sees it. */
  float[] row(int classId, boolean normalised) {
    float[] row = row(classId);
    double squares = 0;
    for (float value : row) {
      squares += (double) value * value;
    }
    float unit = normalised && squares > 0 ? (float) (1 / Math.sqrt(squares)) : 1f;
    for (int j = 0; j < row.length; j++) {
      row[j] *= unit;
    }
    return row;
  }

  /** The embeddings as the core takes them. */
  Embeddings forCore(Engine engine) {
    int dim = embeddings[0].length;
    var into = new Embeddings(batch(), new Embeddings.Shape(dim, false, false), engine);
    String[] labels = IntStream.range(0, batch()).mapToObj(String::valueOf).toArray(String[]::new);
    try (var data = Dataset.of(embeddings, labels);
        var backbone = new FrozenBackbone(dim)) {
      var examples = MiniBatch.range(data, 0, batch());
      backbone.read(examples, false);
      into.begin(batch());
      backbone.forward(into);
      into.pack(examples);
    }
    return into;
  }

  int batch() {
    return embeddings.length;
  }

  /** What an index has saved, by name. */
  static Function<String, MemorySegment> sections(Map<String, MemorySegment> state) {
    return name -> Objects.requireNonNull(state.get(name), name);
  }

  /** Memory on the device that this problem closes. */
  DeviceBuffer ints(int... values) {
    return DeviceArrays.upload(device, values);
  }

  @Override
  public void close() {
    sort.close();
    matrix.close();
    device.close();
  }
}
