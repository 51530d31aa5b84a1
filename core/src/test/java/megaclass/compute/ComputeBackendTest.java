// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static megaclass.compute.ComputeBackend.PANEL;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import megaclass.TestBackend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The backend that is asked for against its definition, {@link ScalarBackend}. */
class ComputeBackendTest extends BackendAgainstDefinition {
  // ---- which one -----------------------------------------------------------------------------

  @Test
  void theBackendThatWasAskedForIsUsed() {
    String wanted = TestBackend.NAME.equals("scalar") ? "scalar" : "vector";
    assertTrue(
        backend.description().startsWith(wanted),
        "asked for " + TestBackend.NAME + ", got " + backend.description());
  }

  @Test
  void anUnknownBackendIsRefusedWithTheKnownOnes() {
    var e = assertThrows(IllegalArgumentException.class, () -> ComputeBackend.named("cuda"));
    assertEquals("unknown backend \"cuda\"; expected one of auto, vector, scalar", e.getMessage());
  }

  @Test
  void rowsArePaddedToWholeCacheLines() {
    assertEquals(
        List.of(16, 16, 32, 128, 144),
        Stream.of(1, 16, 17, 128, 129).map(ComputeBackend::padded).toList());
  }

  // ---- matrix products -----------------------------------------------------------------------

  static Stream<Arguments> logitShapes() {
    return cross(List.of(4, 8, 12, 128), List.of(1, 2, 15, 16, 17, 31, 64, 129));
  }

  @ParameterizedTest
  @MethodSource("logitShapes")
  void logitsAreThoseOfTheDefinitionBitForBit(int numRows, int width) {
    var rows = Floats.random(random, (numRows + 3) * ComputeBackend.padded(width), arena);
    long[] addresses = scatteredRows(rows, numRows, ComputeBackend.padded(width));
    var panel = Floats.random(random, width * PANEL, arena);
    assertSameBits(
        numRows * PANEL,
        (b, tile) -> b.logits(addresses, numRows, panel.address(), width, tile.address()));
  }

  @ParameterizedTest
  @MethodSource("logitShapes")
  void logitsOfTheNarrowKernelAreThoseOfTheDefinitionBitForBit(int numRows, int width) {
    var rows = Floats.random(random, (numRows + 3) * ComputeBackend.padded(width), arena);
    long[] addresses = scatteredRows(rows, numRows, ComputeBackend.padded(width));
    var panel = Floats.random(random, width * PANEL, arena);
    var expected = Floats.room(numRows * PANEL, arena);
    SCALAR.logits(addresses, numRows, panel.address(), width, expected.address());
    var actual = Floats.room(numRows * PANEL, arena);
    GemmNarrow.logits(addresses, numRows, panel.address(), width, actual.address());
    assertArrayEquals(expected.toArray(), actual.toArray());
  }

  /** Addresses in random order, one of them twice, as a gathered tile has them. */
  private long[] scatteredRows(Floats rows, int numRows, int stride) {
    long[] addresses = new long[numRows];
    Arrays.setAll(addresses, _ -> rows.address() + 4L * stride * random.nextInt(numRows + 3));
    addresses[numRows - 1] = addresses[0];
    return addresses;
  }

  static Stream<Arguments> gradientShapes() {
    return cross(List.of(1, 3, 4, 7, 128), List.of(4, 16, 20, 132));
  }

  @ParameterizedTest
  @MethodSource("gradientShapes")
  void embeddingGradientIsThatOfTheDefinitionBitForBit(int numRows, int width) {
    int stride = ComputeBackend.padded(width);
    var weights = Floats.random(random, numRows * stride, arena);
    var tile = Floats.random(random, numRows * PANEL, arena);
    float[] before = Floats.normal(random, width * PANEL, 1);
    var expected = Floats.of(before, arena);
    var actual = Floats.of(before, arena);
    var narrow = Floats.of(before, arena);
    SCALAR.embeddingGradient(
        weights.address(), stride, tile.address(), numRows, width, expected.address());
    backend.embeddingGradient(
        weights.address(), stride, tile.address(), numRows, width, actual.address());
    GemmNarrow.embeddingGradient(
        weights.address(), stride, tile.address(), numRows, width, narrow.address());
    assertArrayEquals(expected.toArray(), actual.toArray());
    assertArrayEquals(expected.toArray(), narrow.toArray());
  }

  static Stream<Arguments> weightGradientShapes() {
    return Stream.of(1, 2, 3, 4, 5)
        .flatMap(
            panels ->
                Stream.of(4, 8, 20)
                    .flatMap(
                        rows ->
                            Stream.of(1, 2, 3).map(blocks -> Arguments.of(panels, rows, blocks))));
  }

  @ParameterizedTest
  @MethodSource("weightGradientShapes")
  void weightGradientIsThatOfTheDefinitionBitForBit(int numPanels, int numRows, int numBlocks) {
    var tiles = Floats.random(random, numPanels * numRows * PANEL, arena);
    var embeddings = Floats.random(random, numBlocks * numPanels * PANEL * PANEL, arena);
    var expected = Floats.room(numRows * numBlocks * PANEL, arena);
    var actual = Floats.room(numRows * numBlocks * PANEL, arena);
    var narrow = Floats.room(numRows * numBlocks * PANEL, arena);
    long x = embeddings.address();
    SCALAR.weightGradient(tiles.address(), numPanels, numRows, x, numBlocks, expected.address());
    backend.weightGradient(tiles.address(), numPanels, numRows, x, numBlocks, actual.address());
    GemmNarrow.weightGradient(tiles.address(), numPanels, numRows, x, numBlocks, narrow.address());
    assertArrayEquals(expected.toArray(), actual.toArray());
    assertArrayEquals(expected.toArray(), narrow.toArray());
  }

  // ---- softmax over tiles --------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 128})
  void scaleAndShiftIsThatOfTheDefinitionBitForBit(int numRows) {
    float[] scale = Floats.normal(random, numRows, 3);
    float[] shift = Floats.normal(random, numRows, 3);
    scale[0] = 0;
    shift[0] = Float.NEGATIVE_INFINITY; // how rows that only fill up are taken out
    float[] tile = Floats.normal(random, numRows * PANEL, 1);
    float[] result =
        assertSameBits(tile, (b, at) -> b.scaleAndShift(at.address(), numRows, scale, shift));
    assertEquals(Float.NEGATIVE_INFINITY, result[PANEL - 1]);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 128})
  void columnMaxIsThatOfTheDefinition(int numRows) {
    float[] values = Floats.normal(random, numRows * PANEL, 100);
    for (int r = 0; r < numRows; r++) {
      values[r * PANEL + 5] = Float.NEGATIVE_INFINITY;
    }
    var tile = Floats.of(values, arena);
    float[] max =
        assertSameBits(PANEL, (b, into) -> b.columnMax(tile.address(), numRows, into.address()));
    assertEquals(Float.NEGATIVE_INFINITY, max[5]);
    tile.toArray();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 15, 16, 17, 31, 32, 33, 63, 64})
  void rowMaxLooksAtTheFirstColumnsOnly(int numColumns) {
    int numRows = 7;
    float[] values = Floats.normal(random, numRows * PANEL, 1);
    Arrays.fill(values, 0, numColumns, -5f);
    Arrays.fill(values, PANEL, PANEL + numColumns, Float.NEGATIVE_INFINITY);
    for (int r = 0; r < numRows; r++) { // beyond the columns lies what must not be seen
      Arrays.fill(values, r * PANEL + numColumns, (r + 1) * PANEL, 1000f);
    }
    var tile = Floats.of(values, arena);
    float[] expected = new float[numRows];
    SCALAR.rowMax(tile.address(), numRows, numColumns, expected);
    float[] actual = new float[numRows];
    backend.rowMax(tile.address(), numRows, numColumns, actual);
    assertArrayEquals(expected, actual);
    assertEquals(-5f, actual[0]);
    assertEquals(Float.NEGATIVE_INFINITY, actual[1]);
  }

  /** Relative error allowed to one exponential: rounding of the result and of exp itself. */
  private static final double EXP_ERROR = 0x1p-23;

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 128})
  void expAndSumAddsExponentialsToTheSums(int numRows) {
    float[] z = Floats.normal(random, numRows * PANEL, 8);
    float[] offset = Floats.normal(random, PANEL, 8);
    float[] before = Floats.values(PANEL, i -> i % 3);
    var tile = Floats.of(z, arena);
    var sum = Floats.of(before, arena);
    backend.expAndSum(tile.address(), numRows, Floats.of(offset, arena).address(), sum.address());
    float[] e = tile.toArray();
    float[] sums = sum.toArray();
    for (int i = 0; i < PANEL; i++) {
      double expectedSum = before[i];
      for (int r = 0; r < numRows; r++) {
        double expected = Math.exp(z[r * PANEL + i] - offset[i]);
        assertEquals(expected, e[r * PANEL + i], EXP_ERROR * expected);
        expectedSum += expected;
      }
      assertEquals(expectedSum, sums[i], (numRows + 2) * EXP_ERROR * expectedSum);
    }
  }

  @Test
  void expIsRightAcrossItsWholeRange() {
    int numRows = 1024;
    int count = numRows * PANEL;
    float[] x = Floats.values(count, i -> ComputeBackend.LOWEST_EXPONENT + 175.3 * i / count);
    float[] e = exp(x);
    for (int i = 0; i < x.length; i++) {
      if (x[i] <= ComputeBackend.HIGHEST_EXPONENT) {
        double expected = Math.exp(x[i]);
        assertEquals(expected, e[i], EXP_ERROR * expected, "exp(" + x[i] + ")");
      }
    }
  }

  @Test
  void expOfTheEdges() {
    float[] x = new float[PANEL];
    x[1] = Float.NEGATIVE_INFINITY;
    x[2] = -1e30f;
    x[3] = Math.nextDown(ComputeBackend.LOWEST_EXPONENT);
    x[4] = ComputeBackend.LOWEST_EXPONENT;
    x[5] = Math.nextUp(ComputeBackend.HIGHEST_EXPONENT);
    x[6] = Float.POSITIVE_INFINITY;
    x[7] = Float.NaN;
    x[8] = -0f;
    x[9] = Float.MIN_VALUE;
    x[10] = Float.MAX_VALUE;
    float[] e = exp(x);
    assertEquals(1f, e[0], "exp(0)");
    assertEquals(0f, e[1], "exp(-infinity)");
    assertEquals(0f, e[2], "exp(-1e30)");
    assertEquals(0f, e[3], "below the lowest exponent");
    assertTrue(e[4] >= Float.MIN_NORMAL, "at the lowest exponent");
    assertEquals(Float.POSITIVE_INFINITY, e[5], "above the highest exponent");
    assertEquals(Float.POSITIVE_INFINITY, e[6], "exp(infinity)");
    assertEquals(Float.NaN, e[7], "exp(NaN)");
    assertEquals(1f, e[8], "exp(-0)");
    assertEquals(1f, e[9], "exp of the smallest float");
    assertEquals(Float.POSITIVE_INFINITY, e[10], "exp of the largest float");
  }

  private float[] exp(float[] x) {
    var tile = Floats.of(x, arena);
    var zeros = Floats.of(new float[PANEL], arena);
    var ones = new float[PANEL];
    Arrays.fill(ones, 1f);
    backend.expAndScale(
        tile.address(), x.length / PANEL, zeros.address(), Floats.of(ones, arena).address());
    var sameTile = Floats.of(x, arena);
    backend.expAndSum(
        sameTile.address(), x.length / PANEL, zeros.address(), Floats.room(PANEL, arena).address());
    assertArrayEquals(sameTile.toArray(), tile.toArray(), "one exp in both operations");
    return tile.toArray();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 128})
  void expAndScaleIsAnExponentialTimesAFactor(int numRows) {
    float[] z = Floats.normal(random, numRows * PANEL, 8);
    float[] offset = Floats.normal(random, PANEL, 8);
    float[] factor = Floats.normal(random, PANEL, 1);
    factor[3] = 0;
    var tile = Floats.of(z, arena);
    backend.expAndScale(
        tile.address(),
        numRows,
        Floats.of(offset, arena).address(),
        Floats.of(factor, arena).address());
    float[] actual = tile.toArray();
    for (int i = 0; i < actual.length; i++) {
      double expected = Math.exp(z[i] - offset[i % PANEL]) * factor[i % PANEL];
      assertEquals(expected, actual[i], 2 * EXP_ERROR * Math.abs(expected));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 128})
  void scaleColumnsIsThatOfTheDefinitionBitForBit(int numRows) {
    var factor = Floats.random(random, PANEL, arena);
    assertSameBits(
        Floats.normal(random, numRows * PANEL, 1),
        (b, tile) -> b.scaleColumns(tile.address(), numRows, factor.address()));
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 1", "4, 4", "128, 7", "633, 20", "633, 632"})
  void columnThresholdIsReachedByTheLargestOnes(int numRows, int k) {
    float[] values = Floats.normal(random, numRows * PANEL, 1);
    for (int r = 0; r < numRows; r++) {
      values[r * PANEL] = 3f; // all are equal
      values[r * PANEL + 1] = r == 0 ? 1e30f : r % 3; // many are
    }
    var tile = Floats.of(values, arena);
    assertSameBits(
        PANEL, (b, into) -> b.columnThreshold(tile.address(), numRows, k, into.address()));
    var into = Floats.of(new float[PANEL], arena);
    backend.columnThreshold(tile.address(), numRows, k, into.address());
    float[] thresholds = into.toArray();
    for (int i = 0; i < PANEL; i++) {
      float[] column = new float[numRows];
      for (int r = 0; r < numRows; r++) {
        column[r] = values[r * PANEL + i];
      }
      Arrays.sort(column);
      float threshold = thresholds[i];
      assertTrue(threshold <= column[numRows - k], "column " + i);
      float range = column[numRows - 1] - column[0];
      float close = range / (1 << ComputeBackend.HALVINGS) * 1.01f;
      assertTrue(threshold >= column[numRows - k] - close, "column " + i);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 128})
  void aboveFindsWhatIsStrictlyLargerInAscendingOrder(int numRows) {
    float[] values = Floats.normal(random, numRows * PANEL, 1);
    float[] threshold = Floats.normal(random, PANEL, 1);
    values[0] = threshold[0]; // equal is not above
    values[1] = Float.NaN; // nor is what is no number
    threshold[2] = Float.NEGATIVE_INFINITY;
    values[2] = Float.NEGATIVE_INFINITY;
    threshold[3] = Float.NEGATIVE_INFINITY;
    values[3] = -Float.MAX_VALUE;
    threshold[4] = Float.POSITIVE_INFINITY;
    var tile = Floats.of(values, arena);
    long limits = Floats.of(threshold, arena).address();
    int[] expected = new int[numRows * PANEL];
    int[] actual = new int[numRows * PANEL];
    int count = SCALAR.above(tile.address(), numRows, limits, expected);
    assertEquals(count, backend.above(tile.address(), numRows, limits, actual));
    int[] found = Arrays.copyOf(actual, count);
    assertArrayEquals(Arrays.copyOf(expected, count), found);
    assertTrue(Arrays.binarySearch(found, 3) >= 0, "-MAX_VALUE is above -infinity");
    for (int none : new int[] {0, 1, 2, 4}) {
      assertTrue(Arrays.binarySearch(found, none) < 0, "entry " + none);
    }
  }
}
