// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.compute.RowFormat;
import megaclass.index.BinaryIvf.Code;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rotations, codes, queries and exact scores against the core's scalar kernels. */
class DeviceCodesTest {
  record Shape(int numClasses, int dim, Code code, boolean normalised, RowFormat format) {}

  static Stream<Shape> shapes() {
    return Stream.of(1, 64, 100, 128, 150, 300, 512)
        .flatMap(
            dim ->
                Stream.of(Code.values())
                    .map(
                        code ->
                            new Shape(
                                dim > 128 ? 33 : 65,
                                dim,
                                code,
                                dim % 2 == 0 && code == Code.RABITQ,
                                dim == 128 ? RowFormat.BF16 : RowFormat.FP32)));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void rotatedRowsAndQueriesHaveTheBitsOfTheCore(Shape shape) {
    try (var on = new IndexProblem(shape.numClasses, shape.dim, 7, RowFormat.FP32, false);
        var _ = HostCuda.bothOrders();
        var twin = new CodeTwin(shape.dim, shape.code);
        var codes = new DeviceCodes(on.device, twin.rotation, shape.code)) {
      int codeDim = codes.codeDim();
      int stride = on.rows.stride();
      on.embeddings[3] = new float[shape.dim]; // a zero has a scale of 0
      var embeddings = DeviceArrays.upload(on.device, IndexProblem.packed(on.embeddings));
      var rotated = on.device.allocate(4L * codeDim * on.batch());
      codes.rotate(embeddings.address(), stride, on.batch(), rotated.address());
      var queries = on.device.allocate(4L * codes.queryWords() * on.batch());
      var scales = on.device.allocate(4L * on.batch());
      codes.encodeQueries(
          embeddings.address(), stride, on.batch(), queries.address(), scales.address());

      float[] rows = DeviceArrays.floats(on.device, rotated, codeDim * on.batch());
      int[] words = DeviceArrays.ints(on.device, queries, codes.queryWords() * on.batch());
      float[] factors = DeviceArrays.floats(on.device, scales, on.batch());
      for (int i = 0; i < on.batch(); i++) {
        assertArrayEquals(
            twin.rotate(on.embeddings[i]),
            Arrays.copyOfRange(rows, i * codeDim, (i + 1) * codeDim));
        var query = twin.query(on.embeddings[i]);
        int length = codes.queryWords();
        assertArrayEquals(query.words(), Arrays.copyOfRange(words, i * length, (i + 1) * length));
        assertEquals(
            query.factor(), factors[i], shape.code == Code.RABITQ ? 0 : 1e-6 * query.factor());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void codesOfClassesAreThoseOfTheCore(Shape shape) {
    int numLists = 3;
    try (var on = new IndexProblem(shape.numClasses, shape.dim, 1, shape.format, false);
        var _ = HostCuda.bothOrders();
        var twin = new CodeTwin(shape.dim, shape.code);
        var codes = new DeviceCodes(on.device, twin.rotation, shape.code);
        var groups = new DeviceGroups(on.device, numLists, on.sort);
        var lists =
            new DeviceLists(
                on.device, shape.numClasses, numLists, codes.words(), on.sort, groups)) {
      int[] listOf = IntStream.range(0, shape.numClasses).map(c -> c * 7 % numLists).toArray();
      on.device.copy(on.ints(listOf), 0, lists.listOf(), 0, 4L * shape.numClasses);
      lists.layOut();
      float[][] centroids =
          IntStream.range(0, numLists)
              .mapToObj(list -> on.row(list % shape.numClasses))
              .toArray(float[][]::new);
      var rotated = on.device.allocate(4L * codes.codeDim() * numLists);
      var packed = DeviceArrays.upload(on.device, IndexProblem.packed(centroids));
      codes.rotate(packed.address(), on.rows.stride(), numLists, rotated.address());
      var rows = new DeviceIndexedRows(on.rows, shape.normalised);
      codes.encode(rows, RowChoice.range(0, shape.numClasses), rotated.address(), lists);
      codes.checkFinite();

      var stored = new StoredLists(on.device, lists, numLists, shape.numClasses, codes.words());
      int differing = 0;
      for (int c = 0; c < shape.numClasses; c++) {
        var expected = twin.code(on.row(c, shape.normalised), twin.rotate(centroids[listOf[c]]));
        int[] code = stored.code(c);
        for (int h = 0; h < code.length; h++) {
          differing += Integer.bitCount(code[h] ^ expected.words()[h]);
        }
        float factor = stored.factor(c);
        assertEquals(expected.factor(), factor, 1e-5 * expected.factor(), "class " + c);
      }
      // A norm that is rounded elsewhere may turn the sign of what is next to zero.
      int most = shape.normalised ? shape.numClasses * shape.dim / 10_000 : 0;
      assertTrue(differing <= most, differing + " bits differ");
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void scoresAreInnerProductsOrCosines(Shape shape) {
    int batch = 7;
    int perSample = 5;
    try (var on = new IndexProblem(shape.numClasses, shape.dim, batch, shape.format, false);
        var _ = HostCuda.bothOrders();
        var twin = new CodeTwin(shape.dim, shape.code);
        var codes = new DeviceCodes(on.device, twin.rotation, shape.code)) {
      int[] ids = new int[batch * perSample];
      Arrays.setAll(ids, i -> i % 4 == 3 ? -1 : i * 5 % shape.numClasses);
      var into = on.device.allocate(4L * ids.length);
      var rows = new DeviceIndexedRows(on.rows, shape.normalised);
      codes.score(rows, on.packed.address(), on.ints(ids), batch, perSample, into);
      float[] scores = DeviceArrays.floats(on.device, into, ids.length);
      for (int i = 0; i < ids.length; i++) {
        double expected = 0;
        if (ids[i] >= 0) {
          float[] row = on.row(ids[i], shape.normalised);
          for (int j = 0; j < shape.dim; j++) {
            expected += (double) row[j] * on.embeddings[i / perSample][j];
          }
        }
        assertEquals(expected, scores[i], 1e-6 * (1 + Math.sqrt(shape.dim)));
      }
    }
  }

  @Test
  void aWeightThatIsNotFiniteIsNamed() {
    try (var on = new IndexProblem(40, 20, 1, RowFormat.FP32, false);
        var twin = new CodeTwin(20, Code.RABITQ);
        var codes = new DeviceCodes(on.device, twin.rotation, Code.RABITQ);
        var groups = new DeviceGroups(on.device, 1, on.sort);
        var lists = new DeviceLists(on.device, 40, 1, codes.words(), on.sort, groups)) {
      lists.layOut();
      on.matrix.set(17, 3, Float.NaN);
      on.rows.upload(on.matrix);
      var centroid = on.device.allocate(4L * codes.codeDim());
      var rows = new DeviceIndexedRows(on.rows, false);
      codes.encode(rows, RowChoice.range(0, 17), centroid.address(), lists);
      codes.checkFinite();
      codes.encode(rows, RowChoice.range(17, 2), centroid.address(), lists);
      var e = assertThrows(ArithmeticException.class, codes::checkFinite);
      assertEquals(
          "the weight of class 17 is not finite, which no index can hold; lower the learning rate"
              + " and resume from the last checkpoint",
          e.getMessage());
    }
  }
}
