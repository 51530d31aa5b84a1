// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import megaclass.cuda.RowKernels.Gathered;
import megaclass.cuda.RowKernels.Gradients;
import megaclass.optim.OptimizerSpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Gathered rows against those of the matrix, and gradients through the normalisation. */
class RowKernelsTest {
  /** Sizes of one problem: rows of a matrix, with velocities between them or without. */
  record Shape(int numRows, int width, RowFormat format, boolean velocity) {
    RowMatrix matrix(long seed) {
      var matrix =
          new RowMatrix(numRows, width, new RowMatrix.State(velocity, false, false), format);
      try (var workers = new Workers(1)) {
        matrix.randomise(1, width, seed, workers);
      }
      return matrix;
    }
  }

  static Stream<Shape> shapes() {
    return Stream.of(1, 15, 16, 17, 63, 130, 1000)
        .flatMap(
            numRows ->
                Stream.of(1, 3, 16, 100, 128, 513)
                    .flatMap(
                        width ->
                            Stream.of(RowFormat.values())
                                .map(
                                    f ->
                                        new Shape(numRows, width, f, (numRows + width) % 2 == 0))));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void gatheredRowsAreThoseOfTheMatrix(Shape shape) {
    try (var _ = HostCuda.bothOrders();
        Device device = HostCuda.open();
        RowMatrix matrix = shape.matrix(1);
        var rows = new DeviceRows(device, matrix)) {
      int[] ids = someRows(shape.numRows(), new SplittableRandom(2));
      try (DeviceBuffer deviceIds = DeviceArrays.upload(device, ids)) {
        var some = new Gather(device, rows, RowChoice.of(deviceIds, 0, ids.length), false, false);
        assertArrayEquals(expected(matrix, ids, null), some.floats);
        int[] last = {shape.numRows() - 1};
        var range = new Gather(device, rows, RowChoice.range(last[0], 1), false, false);
        assertArrayEquals(expected(matrix, last, null), range.floats);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void gatheredUnitRowsAreRowsTimesTheirInverseNorm(Shape shape) {
    try (var _ = HostCuda.bothOrders();
        Device device = HostCuda.open();
        RowMatrix matrix = shape.matrix(3);
        var rows = new DeviceRows(device, matrix)) {
      int[] ids = new int[shape.numRows()];
      Arrays.setAll(ids, i -> i);
      var all = new Gather(device, rows, RowChoice.range(0, ids.length), true, false);
      for (int id : ids) {
        assertEquals(1 / norm(matrix, id), all.inverseNorms[id], 2e-6 / norm(matrix, id));
      }
      float[] expected = expected(matrix, ids, all.inverseNorms);
      assertArrayEquals(expected, all.floats);
      var narrow = new Gather(device, rows, RowChoice.range(0, ids.length), true, true);
      assertArrayEquals(all.inverseNorms, narrow.inverseNorms);
      assertArrayEquals(nearest(expected), narrow.bf16);
    }
  }

  @Test
  void rowsOfZerosStayZeroAndNumbersThatAreNoneStayNone() {
    try (var _ = HostCuda.bothOrders();
        Device device = HostCuda.open();
        var matrix = new RowMatrix(3, 5, RowMatrix.State.NONE)) {
      matrix.set(0, 1, -0f);
      matrix.set(1, 0, Float.NaN);
      matrix.set(2, 4, Float.MIN_NORMAL); // whose square is 0
      try (var rows = new DeviceRows(device, matrix)) {
        var unit = new Gather(device, rows, RowChoice.range(0, 3), true, true);
        assertArrayEquals(new float[] {0, Float.NaN, 0}, unit.inverseNorms);
        for (int j = 0; j < matrix.stride(); j++) {
          assertEquals(j == 1 ? (short) 0x8000 : 0, unit.bf16[j]);
          assertEquals(Float.NaN, toFloat(unit.bf16[matrix.stride() + j]));
          assertEquals(0, unit.bf16[2 * matrix.stride() + j]);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void gradientsGoBackThroughTheNormalisation(Shape shape) {
    if (shape.format() == RowFormat.BF16 || shape.velocity()) {
      return; // what is special to them is tested by RowsMoveAsOnTheCpuTest
    }
    try (var _ = HostCuda.bothOrders();
        Device device = HostCuda.open();
        RowMatrix before = shape.matrix(4);
        RowMatrix after = shape.matrix(4);
        var rows = new DeviceRows(device, before)) {
      int stride = rows.stride();
      float[] u = new float[shape.numRows() * stride];
      var random = new SplittableRandom(5);
      for (int i = 0; i < u.length; i++) {
        u[i] = i % stride < shape.width() ? (float) random.nextGaussian() : 0;
      }
      var all = RowChoice.range(0, shape.numRows());
      var gathered = new Gather(device, rows, all, true, false);
      var plain = OptimizerSpec.parse("sgd(momentum=0)");
      try (DeviceBuffer gradients = DeviceArrays.upload(device, u);
          DeviceBuffer inverseNorms = DeviceArrays.upload(device, gathered.inverseNorms)) {
        var both = new Gradients(gradients.address(), inverseNorms.address());
        new RowKernels(device).update(rows, all, both, plain, 0, 0.5f);
      }
      rows.download(after);
      for (int row = 0; row < shape.numRows(); row++) {
        double norm = norm(before, row);
        double along = 0;
        for (int j = 0; j < shape.width(); j++) {
          along += u[row * stride + j] * before.get(row, j) / norm;
        }
        for (int j = 0; j < shape.width(); j++) {
          double unit = before.get(row, j) / norm;
          double moved = before.get(row, j) - 0.5 * (u[row * stride + j] - along * unit) / norm;
          assertEquals(moved, after.get(row, j), 1e-5 * (1 + 1 / norm), "row " + row);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 16", "15, 1, 16", "16, 33, 128", "63, 64, 512", "130, 1000, 32"})
  void gradientsOfSomeRowsAreAddedAtTheirPlacesAmongMore(int numRows, int numMore, int stride) {
    var random = new SplittableRandom(6);
    int[] all =
        random
            .ints(0, 5 * (numRows + numMore))
            .distinct()
            .limit(numRows + numMore)
            .sorted()
            .toArray();
    int[] places = random.ints(0, all.length).distinct().limit(numRows).sorted().toArray();
    int[] some = Arrays.stream(places).map(place -> all[place]).toArray();
    float[] added = floats(numRows * stride, random);
    float[] expected = floats(all.length * stride, random);
    float[] norms = floats(numRows, random);
    float[] expectedNorms = new float[all.length];
    try (var _ = HostCuda.bothOrders();
        Device device = HostCuda.open()) {
      DeviceBuffer sums = DeviceArrays.upload(device, expected);
      DeviceBuffer allNorms = DeviceArrays.upload(device, expectedNorms);
      for (int i = 0; i < added.length; i++) {
        expected[places[i / stride] * stride + i % stride] += added[i];
        expectedNorms[places[i / stride]] = norms[i / stride];
      }
      new RowKernels(device)
          .addGradients(
              RowChoice.of(DeviceArrays.upload(device, some), 0, numRows),
              new Gradients(
                  DeviceArrays.upload(device, added).address(),
                  DeviceArrays.upload(device, norms).address()),
              RowChoice.of(DeviceArrays.upload(device, all), 0, all.length),
              new Gradients(sums.address(), allNorms.address()),
              stride);
      assertArrayEquals(expected, DeviceArrays.floats(device, sums, expected.length));
      assertArrayEquals(expectedNorms, DeviceArrays.floats(device, allNorms, all.length));
    }
  }

  private static float[] floats(int count, SplittableRandom random) {
    float[] floats = new float[count];
    for (int i = 0; i < count; i++) {
      floats[i] = (float) random.nextGaussian();
    }
    return floats;
  }

  /** Some of the rows, the last one among them, in no order. */
  private static int[] someRows(int numRows, SplittableRandom random) {
    int[] ids = random.ints(numRows, 0, numRows).distinct().toArray();
    ids[0] = Arrays.stream(ids).anyMatch(id -> id == numRows - 1) ? ids[0] : numRows - 1;
    return ids;
  }

  private static double norm(RowMatrix matrix, int row) {
    double squares = 0;
    for (int j = 0; j < matrix.width(); j++) {
      squares += (double) matrix.get(row, j) * matrix.get(row, j);
    }
    return Math.sqrt(squares);
  }

  private static float[] expected(RowMatrix matrix, int[] ids, float @Nullable [] factors) {
    int stride = matrix.stride();
    float[] dense = new float[ids.length * stride];
    for (int i = 0; i < dense.length; i++) {
      float value = matrix.get(ids[i / stride], i % stride);
      dense[i] = factors == null ? value : value * factors[i / stride];
    }
    return dense;
  }

  private static float toFloat(short bf16) {
    return Float.intBitsToFloat(bf16 << 16);
  }

  /** The bf16 number nearest to each float, the even one of two. */
  static short[] nearest(float[] values) {
    short[] rounded = new short[values.length];
    for (int i = 0; i < values.length; i++) {
      int down = Float.floatToRawIntBits(values[i]) & 0xFFFF0000;
      int up = down + 0x10000;
      double below = Math.abs((double) values[i] - Float.intBitsToFloat(down));
      double above = Math.abs((double) values[i] - Float.intBitsToFloat(up));
      boolean even = (down >>> 16) % 2 == 0;
      rounded[i] = (short) ((below < above || (below == above && even) ? down : up) >>> 16);
    }
    return rounded;
  }

  /** One call of gather_rows and what it gave. */
  private static final class Gather {
    final float[] floats;
    final short[] bf16;
    final float[] inverseNorms;

    Gather(Device device, DeviceRows rows, RowChoice which, boolean unit, boolean bf16) {
      int numbers = which.count() * rows.stride();
      try (DeviceBuffer into = device.allocate((bf16 ? 2L : 4L) * numbers);
          DeviceBuffer norms = device.allocate(4L * which.count())) {
        var gathered = new Gathered(into.address(), bf16, unit ? norms.address() : 0);
        new RowKernels(device).gather(rows, which, gathered);
        floats = bf16 ? new float[0] : DeviceArrays.floats(device, into, numbers);
        this.bf16 = bf16 ? DeviceArrays.shorts(device, into, numbers) : new short[0];
        inverseNorms = DeviceArrays.floats(device, norms, which.count());
      }
    }
  }
}
