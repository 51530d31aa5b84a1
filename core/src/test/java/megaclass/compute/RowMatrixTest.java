// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static megaclass.compute.RowMatrix.ROWS_PER_SHARD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows across the borders of shards, their state, and where they lie. */
class RowMatrixTest {
  private static final RowMatrix.State FULL = new RowMatrix.State(true, true, true);

  static Stream<RowMatrix.State> states() {
    return Stream.of(false, true)
        .flatMap(v -> Stream.of(false, true).map(a -> new boolean[] {v, a}))
        .flatMap(va -> Stream.of(false, true).map(l -> new RowMatrix.State(va[0], va[1], l)));
  }

  @ParameterizedTest
  @ValueSource(
      ints = {1, 2, ROWS_PER_SHARD - 1, ROWS_PER_SHARD, ROWS_PER_SHARD + 1, 2 * ROWS_PER_SHARD + 1})
  void shardsFollowEachOtherAndCoverAllRows(int numRows) {
    try (var matrix = new RowMatrix(numRows, 5, FULL)) {
      int next = 0;
      long bytes = 0;
      for (RowMatrix.Shard shard : matrix.shards()) {
        assertEquals(next, shard.from());
        assertTrue(shard.to() > shard.from());
        assertEquals(Math.min(numRows, next + ROWS_PER_SHARD), shard.to());
        next = shard.to();
        bytes +=
            shard.rows().byteSize()
                + 4L * (shard.to() - shard.from())
                + 4L * (shard.to() - shard.from());
        assertEquals(shard.rows().address(), matrix.address(shard.from()));
      }
      assertEquals(numRows, next);
      assertEquals(bytes, matrix.sizeInBytes());
    }
  }

  @ParameterizedTest
  @MethodSource("states")
  void aRowTakesTheBytesItSays(RowMatrix.State state) {
    for (int width : new int[] {1, 15, 16, 17, 128}) {
      try (var matrix = new RowMatrix(3, width, state)) {
        int stride = (width + 15) / 16 * 16;
        assertEquals(stride, matrix.stride());
        assertEquals(width, matrix.width());
        long row = 4L * stride * (state.velocity() ? 2 : 1);
        assertEquals(row, matrix.address(1) - matrix.address(0));
        assertEquals(0, matrix.address(0) % 64);
        long expected = row + (state.accumulator() ? 4 : 0) + (state.lastStep() ? 4 : 0);
        assertEquals(expected, state.bytesPerRow(width, RowFormat.FP32));
        assertEquals(3 * expected, matrix.sizeInBytes());
        assertEquals(4L * stride, matrix.velocityAddress(2) - matrix.address(2));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, ROWS_PER_SHARD - 1, ROWS_PER_SHARD, ROWS_PER_SHARD + 1})
  void whatIsWrittenToARowIsReadFromItAndFromNoOther(int numRows) {
    try (var matrix = new RowMatrix(numRows, 17, FULL)) {
      for (int row = 0; row < numRows; row++) {
        matrix.set(row, 0, row + 0.25f);
        matrix.set(row, 16, row + 0.5f);
        setVelocity(matrix, row, row + 0.75f);
        matrix.setAccumulator(row, -row);
        matrix.setLastStep(row, 2 * row + 1);
      }
      for (int row = 0; row < numRows; row++) {
        assertEquals(row + 0.25f, matrix.get(row, 0));
        assertEquals(0f, matrix.get(row, 1));
        assertEquals(row + 0.5f, matrix.get(row, 16));
        assertEquals(0f, matrix.get(row, 17), "padding");
        assertEquals(row + 0.75f, velocity(matrix, row));
        assertEquals(-row, matrix.accumulator(row));
        assertEquals(2 * row + 1, matrix.lastStep(row));
      }
    }
  }

  private static void setVelocity(RowMatrix matrix, int row, float value) {
    segment(matrix.velocityAddress(row), matrix).setAtIndex(JAVA_FLOAT, 0, value);
  }

  private static float velocity(RowMatrix matrix, int row) {
    return segment(matrix.velocityAddress(row), matrix).getAtIndex(JAVA_FLOAT, 0);
  }

  private static MemorySegment segment(long address, RowMatrix matrix) {
    return MemorySegment.ofAddress(address).reinterpret(4L * matrix.stride());
  }

  @Test
  void randomRowsDependOnSeedAndRowAlone() {
    int numRows = ROWS_PER_SHARD + 5_000;
    float[] expected = random(numRows, 42, 1);
    assertTrue(Arrays.equals(expected, random(numRows, 42, 3)), "at 3 threads");
    float[] fewer = random(ROWS_PER_SHARD + 1, 42, 2);
    assertEquals(-1, Arrays.mismatch(fewer, Arrays.copyOf(expected, fewer.length)));
    assertTrue(Arrays.mismatch(expected, random(numRows, 43, 1)) == 0, "with another seed");
  }

  @Test
  void randomRowsAreNormalDistributedAndLeaveOtherColumnsAlone() {
    int numRows = 10_000;
    float[] values = random(numRows, 7, 2);
    double sum = 0;
    double squares = 0;
    Set<Float> distinct = new LinkedHashSet<>();
    for (int i = 0; i < values.length; i++) {
      if (i % 3 == 2) {
        assertEquals(0f, values[i], "column 2");
      } else {
        distinct.add(values[i]);
        sum += values[i];
        squares += (double) values[i] * values[i];
      }
    }
    int count = 2 * numRows;
    assertEquals(0, sum / count, 5 * 0.5 / Math.sqrt(count));
    assertEquals(0.25, squares / count, 5 * 0.25 * Math.sqrt(2.0 / count));
    assertTrue(distinct.size() > 0.99 * count, "rows repeat each other");
  }

  /** (numRows, 3): two random columns of deviation 0.5, one that is left alone. */
  private static float[] random(int numRows, long seed, int threads) {
    try (var workers = new Workers(threads);
        var matrix = new RowMatrix(numRows, 3, RowMatrix.State.NONE)) {
      matrix.randomise(0.5, 2, seed, workers);
      float[] values = new float[3 * numRows];
      for (int i = 0; i < values.length; i++) {
        values[i] = matrix.get(i / 3, i % 3);
      }
      return values;
    }
  }

  @Test
  void rowsAreReadWhereTheyLie() {
    int numRows = ROWS_PER_SHARD + 2;
    try (var arena = Arena.ofConfined()) {
      var rows = arena.allocate(4L * 16 * numRows, 64);
      for (int row = 0; row < numRows; row++) {
        rows.setAtIndex(JAVA_FLOAT, 16L * row + 2, row);
      }
      try (var matrix = RowMatrix.over(rows, numRows, 3, RowFormat.FP32)) {
        assertEquals(rows.address(), matrix.address(0));
        for (int row = 0; row < numRows; row++) {
          assertEquals(row, matrix.get(row, 2));
        }
        assertEquals(RowMatrix.State.NONE, matrix.state());
      }
      assertEquals(1f, rows.getAtIndex(JAVA_FLOAT, 18), "closing the matrix leaves the rows alone");
    }
  }

  @Test
  void offsetsOfTheLastOfTwoBillionRowsDoNotOverflow() {
    int numRows = Integer.MAX_VALUE - 8;
    var nowhere = MemorySegment.ofAddress(0).reinterpret(4L * 16 * numRows);
    try (var matrix = RowMatrix.over(nowhere, numRows, 9, RowFormat.FP32)) {
      assertEquals(4L * 16 * (numRows - 1), matrix.address(numRows - 1));
      assertEquals(numRows, matrix.shards().getLast().to());
      assertEquals(4L * 16 * numRows, matrix.sizeInBytes());
    }
  }

  @Test
  void rowsToReadMustBeAsManyAsSaid() {
    try (var arena = Arena.ofConfined()) {
      var rows = arena.allocate(4L * 16 * 9);
      assertThrows(
          IndexOutOfBoundsException.class, () -> RowMatrix.over(rows, 10, 3, RowFormat.FP32));
    }
  }
}
