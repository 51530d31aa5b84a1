// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import megaclass.compute.RowFormat;
import megaclass.internal.Hash;
import megaclass.internal.Permutation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Nearest centroids and means against plain loops in the order of the core. */
class DeviceQuantizerTest {
  private static final long SEED = 3;

  /** A quantizer over a problem's class weights. */
  private static final class Case implements AutoCloseable {
    final IndexProblem on;
    final boolean normalised;
    final int numLists;
    final DeviceGroups groups;
    final DeviceQuantizer quantizer;

    Case(IndexProblem on, boolean normalised, int numLists) {
      this.on = on;
      this.normalised = normalised;
      this.numLists = numLists;
      groups = new DeviceGroups(on.device, numLists, on.sort);
      var rows = new DeviceIndexedRows(on.rows, normalised);
      quantizer = new DeviceQuantizer(on.device, rows, numLists, groups);
    }

    float[][] centroids() {
      int stride = on.rows.stride();
      float[] all = DeviceArrays.floats(on.device, quantizer.centroids(), numLists * stride);
      return IntStream.range(0, numLists)
          .mapToObj(list -> Arrays.copyOfRange(all, list * stride, (list + 1) * stride))
          .toArray(float[][]::new);
    }

    int[] assign(int[] ids) {
      var into = on.device.allocate(4L * ids.length);
      quantizer.assign(RowChoice.of(on.ints(ids), 0, ids.length), into);
      return DeviceArrays.ints(on.device, into, ids.length);
    }

    /** Half the squared distance of a row to a centroid, up to what is the same for all. */
    double distance(int classId, float[] centroid) {
      float[] row = on.row(classId, normalised);
      double sum = 0;
      for (int j = 0; j < row.length; j++) {
        sum += centroid[j] * (0.5 * centroid[j] - row[j]);
      }
      return sum;
    }

    @Override
    public void close() {
      quantizer.close();
      groups.close();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, false, FP32",
    "31, 100, 3, true, FP32",
    "1000, 64, 40, false, BF16",
    "1000, 100, 257, true, BF16",
    "300, 512, 10, false, FP32",
  })
  void rowsFindTheirNearestCentroid(
      int numClasses, int dim, int numLists, boolean normalised, RowFormat format) {
    try (var on = new IndexProblem(numClasses, dim, 1, format, false);
        var _ = HostCuda.bothOrders();
        var with = new Case(on, normalised, numLists)) {
      with.quantizer.train(0, SEED);
      float[][] centroids = with.centroids();
      int[] ids = IntStream.range(0, numClasses).map(i -> numClasses - 1 - i).toArray();
      int[] lists = with.assign(ids);
      for (int i = 0; i < ids.length; i++) {
        double nearest = Double.POSITIVE_INFINITY;
        for (float[] centroid : centroids) {
          nearest = Math.min(nearest, with.distance(ids[i], centroid));
        }
        assertEquals(nearest, with.distance(ids[i], centroids[lists[i]]), 1e-5);
      }
    }
  }

  @Test
  void ofEqualCentroidsTheFirstIsTaken() {
    try (var on = new IndexProblem(500, 30, 1, RowFormat.FP32, true);
        var with = new Case(on, false, 300)) {
      with.quantizer.train(0, SEED);
      int[] ids = {0, 7, 499};
      assertArrayEquals(new int[3], with.assign(ids));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "40, 20, 3, false, FP32",
    "1000, 64, 40, false, BF16",
    "700, 100, 90, true, FP32",
    "31, 33, 31, false, FP32",
    "31, 33, 40, false, FP32", // equal centroids: all but the first start again
  })
  void centroidsBecomeMeansInTheOrderOfRows(
      int numClasses, int dim, int numLists, boolean normalised, RowFormat format) {
    try (var on = new IndexProblem(numClasses, dim, 1, format, false);
        var _ = HostCuda.bothOrders();
        var with = new Case(on, normalised, numLists)) {
      with.quantizer.train(0, SEED);
      int size = Math.min(numClasses, 64 * numLists);
      var order = new Permutation(numClasses, SEED);
      int[] sample = IntStream.range(0, size).map(i -> (int) order.at(i)).sorted().toArray();
      int[] lists = with.assign(sample);
      with.quantizer.train(1, SEED);
      float[][] centroids = with.centroids();
      for (int list = 0; list < numLists; list++) {
        float[] expected = new float[dim];
        int count = 0;
        for (int i = 0; i < size; i++) {
          if (lists[i] == list) {
            add(on.row(sample[i], normalised), expected);
            count++;
          }
        }
        if (count == 0) {
          add(
              on.row(sample[Hash.below(size, Hash.key(Hash.key(SEED, 0), list))], normalised),
              expected);
          count = 1;
        }
        for (int j = 0; j < dim; j++) {
          float mean = expected[j] * (1f / count);
          assertEquals(mean, centroids[list][j], normalised ? 1e-6 : 0, "list " + list);
        }
      }
    }
  }

  private static void add(float[] row, float[] sum) {
    for (int j = 0; j < row.length; j++) {
      sum[j] += row[j];
    }
  }

  @Test
  void trainingBringsCentroidsNearer() {
    try (var on = new IndexProblem(2000, 40, 1, RowFormat.FP32, false);
        var with = new Case(on, false, 50)) {
      int[] ids = IntStream.range(0, 2000).toArray();
      double[] total = new double[2];
      for (int i = 0; i < 2; i++) {
        with.quantizer.train(8 * i, SEED);
        float[][] centroids = with.centroids();
        int[] lists = with.assign(ids);
        for (int c : ids) {
          total[i] += 0.625 + with.distance(c, centroids[lists[c]]); // rows have |w|^2 of 1.25
        }
      }
      assertTrue(total[1] < 0.8 * total[0], Arrays.toString(total));
    }
  }
}
