// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static megaclass.compute.CodeKernels.BLOCK;
import static megaclass.compute.CodeKernels.PLANES;
import static megaclass.compute.CodeKernels.TOP_LEVEL;
import static megaclass.compute.CodeKernels.WORD;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Operations on codes against their definition, {@link ScalarCodes}, and that against its words.
 */
class CodeKernelsTest extends BackendAgainstDefinition {
  private static final List<Integer> WORDS = List.of(1, 2, 3, 4, 8, 16, CodeKernels.MAX_WORDS);
  private static final CodeKernels DEFINITION = SCALAR.codes();

  private final CodeKernels kernels = backend.codes();

  private MemorySegment longs(int count) {
    var longs = arena.allocate(8L * count, 64);
    for (int i = 0; i < count; i++) {
      longs.setAtIndex(JAVA_LONG, i, random.nextLong());
    }
    return longs;
  }

  /** Addresses of queries of so many longs. */
  private long[] queries(int numQueries, int longs) {
    return LongStream.range(0, numQueries).map(_ -> longs(longs).address()).toArray();
  }

  /** Room with something in it, and more room than is needed. */
  private static int[] filled(int length) {
    int[] room = new int[length + 3];
    Arrays.fill(room, -77);
    return room;
  }

  // ---- layout --------------------------------------------------------------------------------

  @Test
  void codesAreStoredWordByWordInBlocksOfEight() {
    assertEquals(0, CodeKernels.offset(0, 3));
    assertEquals(8 * 7, CodeKernels.offset(7, 3));
    assertEquals(8 * 24, CodeKernels.offset(8, 3));
    assertEquals(8 * (24 + 1), CodeKernels.offset(9, 3));
    assertEquals(
        8L * 64 * Integer.MAX_VALUE - 7 * 8 * 63, CodeKernels.offset(Integer.MAX_VALUE, 64));
    assertEquals(0, CodeKernels.bytes(0, 3));
    assertEquals(8 * 24, CodeKernels.bytes(1, 3));
    assertEquals(8 * 24, CodeKernels.bytes(8, 3));
    assertEquals(8 * 48, CodeKernels.bytes(9, 3));
  }

  // ---- rows ----------------------------------------------------------------------------------

  static Stream<Arguments> rotations() {
    return Stream.of(
            Stream.of(1, 4).map(blocks -> Arguments.of(64, 16 * blocks)),
            Stream.of(65, 128).map(dim -> Arguments.of(128, ComputeBackend.padded(dim))),
            Stream.of(129, 192).map(dim -> Arguments.of(192, ComputeBackend.padded(dim))),
            Stream.of(256, 320, 448, 512, 576, 960, 1024, 2048, 4032, 4096)
                .map(codeDim -> Arguments.of(codeDim, codeDim - 48)))
        .flatMap(shapes -> shapes);
  }

  @ParameterizedTest
  @MethodSource("rotations")
  void aRotatedRowIsThatOfTheDefinitionBitForBit(int codeDim, int width) {
    for (int rounds = 1; rounds <= 4; rounds++) {
      float[] factors = Floats.normal(random, rounds * CodeKernels.factorsOfRound(codeDim), 1);
      var row = Floats.random(random, width, arena);
      float[] before = row.toArray();
      float[] rotated =
          assertSameBits(
              Floats.normal(random, codeDim, 1),
              (b, into) ->
                  b.codes().rotate(row.address(), width, factors, codeDim, into.address()));
      assertArrayEquals(before, row.toArray());

      var inPlace = Floats.of(Arrays.copyOf(before, codeDim), arena);
      kernels.rotate(inPlace.address(), width, factors, codeDim, inPlace.address());
      assertArrayEquals(rotated, inPlace.toArray());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 8, 16, 64})
  void aBitIsSetWhereTheCoordinateIsPositive(int words) {
    float[] row = Floats.normal(random, words * WORD, 1);
    row[0] = 0f;
    row[1] = -0f;
    row[2] = Float.MIN_VALUE;
    row[3] = -Float.MIN_VALUE;
    var at = Floats.of(row, arena);
    for (CodeKernels k : List.of(DEFINITION, kernels)) {
      var code = longs(words);
      float sum = k.signs(at.address(), words, code.address(), 1);
      double expectedSum = 0;
      for (int i = 0; i < row.length; i++) {
        expectedSum += Math.abs(row[i]);
        long bit = code.getAtIndex(JAVA_LONG, i / WORD) >>> (i % WORD) & 1;
        assertEquals(row[i] > 0, bit == 1, "bit " + i);
      }
      assertEquals(expectedSum, sum, 1e-6 * words * expectedSum);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 8, 16})
  void aCodeGoesToItsPlaceAndNowhereElse(int words) {
    int numCodes = 3 * BLOCK;
    var row = Floats.random(random, words * WORD, arena);
    var code = longs(words);
    DEFINITION.signs(row.address(), words, code.address(), 1);
    for (int position : new int[] {0, 1, 7, 8, 13, 23}) {
      var codes = longs(numCodes * words);
      long[] expected = codes.toArray(JAVA_LONG);
      for (int w = 0; w < words; w++) {
        expected[position / 8 * 8 * words + w * 8 + position % 8] = code.getAtIndex(JAVA_LONG, w);
      }
      long at = codes.address() + CodeKernels.offset(position, words);
      kernels.signs(row.address(), words, at, BLOCK);
      assertArrayEquals(expected, codes.toArray(JAVA_LONG));
    }
  }

  // ---- queries -------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 8, 16, 64})
  void planesAreThoseOfTheDefinitionBitForBit(int words) {
    for (double deviation : new double[] {1, 1e-20, 1e20}) {
      var row = Floats.of(Floats.normal(random, words * WORD, deviation), arena);
      var expected = longs(words * PLANES);
      var actual = longs(words * PLANES);
      float scale = DEFINITION.planes(row.address(), words, expected.address());
      assertEquals(scale, kernels.planes(row.address(), words, actual.address()));
      assertArrayEquals(expected.toArray(JAVA_LONG), actual.toArray(JAVA_LONG));
    }
  }

  @Test
  void aCoordinateIsWithinOneScaleOfItsLevel() {
    float[] row = Floats.normal(random, 3 * WORD, 1);
    var planes = longs(3 * PLANES);
    float scale = kernels.planes(Floats.of(row, arena).address(), 3, planes.address());
    int highest = 0;
    for (int i = 0; i < row.length; i++) {
      int level = level(planes, i);
      assertEquals(row[i], scale * level, 1.0001 * scale, "coordinate " + i);
      highest = Math.max(highest, Math.abs(level));
    }
    assertEquals(TOP_LEVEL, highest);
  }

  private static int level(MemorySegment planes, int i) {
    int bits = 0;
    for (int k = 0; k < PLANES; k++) {
      long plane = planes.getAtIndex(JAVA_LONG, i / WORD * PLANES + k);
      bits |= (int) (plane >>> (i % WORD) & 1) << k;
    }
    return 2 * bits - TOP_LEVEL;
  }

  @Test
  void anEmbeddingOfNothingHasTheScaleZero() {
    for (CodeKernels k : List.of(DEFINITION, kernels)) {
      float[] row = new float[WORD];
      var planes = longs(PLANES);
      assertEquals(0f, k.planes(Floats.of(row, arena).address(), 1, planes.address()));
      row[5] = Float.MIN_VALUE;
      assertEquals(0f, k.planes(Floats.of(row, arena).address(), 1, planes.address()));
      row[5] = Float.MAX_VALUE;
      float scale = k.planes(Floats.of(row, arena).address(), 1, planes.address());
      assertEquals(Float.MAX_VALUE, scale * TOP_LEVEL, 1e-6 * Float.MAX_VALUE);
      assertEquals(TOP_LEVEL, level(planes, 5));
    }
  }

  // ---- scans ---------------------------------------------------------------------------------

  static Stream<Arguments> scans() {
    return cross(WORDS, List.of(0, 1, 2, 3, 4, 5));
  }

  @ParameterizedTest
  @MethodSource("scans")
  void distancesAreThoseOfTheDefinition(int words, int numBlocks) {
    var codes = longs(numBlocks * BLOCK * words);
    long[] queries = queries(9, words);
    for (int numQueries : new int[] {1, 2, 3, 4, 5, 8, 9}) {
      int[] expected = filled(numQueries * numBlocks * BLOCK);
      int[] actual = expected.clone();
      DEFINITION.distances(queries, numQueries, codes.address(), numBlocks, words, expected);
      kernels.distances(queries, numQueries, codes.address(), numBlocks, words, actual);
      assertArrayEquals(expected, actual);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8, 64})
  void manyCodesAreScannedTileByTile(int words) {
    int numBlocks = 3 + 40_000 / (64 * words); // some tiles of 16 KiB and a part of one
    int numCodes = numBlocks * BLOCK;
    var codes = longs(numCodes * words);
    var factors = Floats.random(random, numCodes, arena);
    long[] queries = queries(3, words * PLANES);
    float[] scales = Floats.normal(random, 3, 1);
    for (int numQueries : new int[] {1, 3}) {
      int[] expected = filled(numQueries * numCodes);
      int[] actual = expected.clone();
      DEFINITION.distances(queries, numQueries, codes.address(), numBlocks, words, expected);
      kernels.distances(queries, numQueries, codes.address(), numBlocks, words, actual);
      assertArrayEquals(expected, actual);
      float[] exact = new float[numQueries * numCodes];
      float[] fast = exact.clone();
      long c = codes.address();
      long f = factors.address();
      DEFINITION.estimates(
          queries, scales, scales, numQueries, c, f, numBlocks, words, new long[numCodes], exact);
      kernels.estimates(
          queries, scales, scales, numQueries, c, f, numBlocks, words, new long[numCodes], fast);
      assertArrayEquals(exact, fast);
    }
  }

  @Test
  void aDistanceIsTheNumberOfBitsThatDiffer() {
    var row = Floats.random(random, 3 * WORD, arena);
    var codes = arena.allocate(CodeKernels.bytes(9, 3), 64);
    var query = longs(3);
    for (CodeKernels k : List.of(DEFINITION, kernels)) {
      k.signs(row.address(), 3, query.address(), 1);
      k.signs(row.address(), 3, codes.address() + CodeKernels.offset(2, 3), BLOCK);
      float[] turned = row.toArray();
      for (int i : new int[] {0, 63, 64, 100, 191}) {
        turned[i] = -turned[i];
      }
      long at = codes.address() + CodeKernels.offset(8, 3);
      k.signs(Floats.of(turned, arena).address(), 3, at, BLOCK);
      int[] distances = new int[16];
      k.distances(new long[] {query.address()}, 1, codes.address(), 2, 3, distances);
      assertEquals(0, distances[2]);
      assertEquals(5, distances[8]);
    }
  }

  @Test
  void aProductIsTheSumOfTheLevelsWithTheSignsOfTheCode() {
    int words = 3;
    var codes = longs(BLOCK * words);
    var query = longs(words * PLANES);
    int[] expected = new int[BLOCK];
    for (int j = 0; j < BLOCK; j++) {
      for (int i = 0; i < words * WORD; i++) {
        long word = codes.getAtIndex(JAVA_LONG, i / WORD * BLOCK + j);
        expected[j] += (word >>> (i % WORD) & 1) == 1 ? level(query, i) : -level(query, i);
      }
    }
    for (CodeKernels k : List.of(DEFINITION, kernels)) {
      assertArrayEquals(expected, products(k, query, codes, words));
    }
  }

  /** b.level of one block of codes: estimates with factors and a scale of 1. */
  private int[] products(CodeKernels k, MemorySegment query, MemorySegment codes, int words) {
    float[] estimates = new float[BLOCK];
    k.estimates(
        new long[] {query.address()},
        new float[] {1},
        new float[] {0},
        1,
        codes.address(),
        Floats.of(Floats.values(BLOCK, _ -> 1), arena).address(),
        1,
        words,
        new long[BLOCK],
        estimates);
    return IntStream.range(0, BLOCK).map(j -> (int) estimates[j]).toArray();
  }

  @Test
  void theLargestProductsAreReached() {
    int words = CodeKernels.MAX_WORDS;
    var codes = longs(BLOCK * words);
    codes.fill((byte) 0);
    for (int w = 0; w < words; w++) {
      codes.setAtIndex(JAVA_LONG, w * BLOCK + 3, -1L);
    }
    var query = longs(words * PLANES).fill((byte) -1);
    int[] products = products(kernels, query, codes, words);
    assertEquals(TOP_LEVEL * WORD * words, products[3]);
    assertEquals(-TOP_LEVEL * WORD * words, products[4]);
  }

  @ParameterizedTest
  @MethodSource("scans")
  void estimatesAreThoseOfTheDefinitionBitForBit(int words, int numBlocks) {
    int numCodes = numBlocks * BLOCK;
    var codes = longs(numCodes * words);
    var factors = Floats.random(random, numCodes, arena);
    long[] queries = queries(5, words * PLANES);
    float[] scales = Floats.normal(random, 5, 1);
    float[] bases = Floats.normal(random, 5, 1000);
    for (int numQueries = 1; numQueries <= 5; numQueries++) {
      int count = numQueries;
      float[] before = Floats.normal(random, numQueries * numCodes + 3, 1);
      var results =
          Stream.of(DEFINITION, kernels)
              .map(
                  k -> {
                    float[] into = before.clone();
                    long c = codes.address();
                    long f = factors.address();
                    var sums = new long[numCodes];
                    k.estimates(queries, scales, bases, count, c, f, numBlocks, words, sums, into);
                    return into;
                  })
              .toList();
      assertArrayEquals(results.get(0), results.get(1));
    }
  }

  @Test
  void anEstimateIsTheScaledProductTimesTheFactorPlusTheBase() {
    var codes = longs(BLOCK);
    float[] factors = Floats.normal(random, BLOCK, 1);
    var queries = List.of(longs(PLANES), longs(PLANES));
    long[] addresses = {queries.get(0).address(), queries.get(1).address()};
    float[] scales = {0.5f, 2};
    float[] bases = {7, -1};
    long at = Floats.of(factors, arena).address();
    float[] estimates = new float[2 * BLOCK];
    for (CodeKernels k : List.of(DEFINITION, kernels)) {
      k.estimates(
          addresses, scales, bases, 2, codes.address(), at, 1, 1, new long[BLOCK], estimates);
      for (int i = 0; i < 2; i++) {
        int[] products = products(k, queries.get(i), codes, 1);
        for (int j = 0; j < BLOCK; j++) {
          float expected = Math.fma(factors[j], scales[i] * products[j], bases[i]);
          assertEquals(expected, estimates[i * BLOCK + j]);
        }
      }
    }
  }
}
