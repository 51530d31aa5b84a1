// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import megaclass.TestBackend;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every forest holds to, whatever the rows. */
class HashingForestTest {
  private static final HashingForest.Settings SMALL = new HashingForest.Settings(6, 8);

  private final Engine engine = Engine.start(TestBackend.NAME, 2);
  private final SplittableRandom random = new SplittableRandom(42);

  @AfterEach
  @AfterProperty
  void stop() {
    engine.close();
  }

  private HashingForest forest(
      float[][] rows, boolean normalised, HashingForest.Settings settings) {
    try (var matrix = Clouds.matrix(rows)) {
      return HashingForest.build(matrix, normalised, settings, 7, engine);
    }
  }

  // ---- leaves --------------------------------------------------------------------------------

  /** What rows can be made of: few values, so that many are equal, and values that are none. */
  private static final float[][] KINDS = {
    {0},
    {0, 1},
    {-1, 0, 1},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0, Float.NaN},
    {1, 2, Float.NaN, Float.POSITIVE_INFINITY},
    {1e30f, -1e30f, 1e-40f},
    {Float.NaN},
  };

  @Property(tries = 300)
  void everyClassIsInExactlyOneLeafOfEveryTreeAndNoLeafIsTooLarge(
      @ForAll @IntRange(min = 1, max = 300) int numRows,
      @ForAll @IntRange(min = 1, max = 20) int dim,
      @ForAll @IntRange(min = 1, max = 40) int leafSize,
      @ForAll @IntRange(min = 0, max = 7) int kind,
      @ForAll boolean normalised,
      @ForAll long seed) {
    var rows = new float[numRows][dim];
    var draws = new SplittableRandom(seed);
    for (float[] row : rows) {
      for (int j = 0; j < dim; j++) {
        row[j] = KINDS[kind][draws.nextInt(KINDS[kind].length)];
      }
    }
    try (var forest = forest(rows, normalised, new HashingForest.Settings(2, leafSize))) {
      assertIsPartition(forest, numRows, leafSize);
    }
  }

  private static void assertIsPartition(HashingForest forest, int numRows, int leafSize) {
    int[] all = IntStream.range(0, numRows).toArray();
    for (int tree = 0; tree < forest.numTrees(); tree++) {
      int t = tree;
      assertArrayEquals(
          all, IntStream.range(0, numRows).map(p -> forest.classId(t, p)).sorted().toArray());
      int next = 0;
      for (int leaf = 0; leaf < forest.numLeaves(tree); leaf++) {
        assertEquals(next, forest.leafFrom(tree, leaf));
        next = forest.leafTo(tree, leaf);
        int size = next - forest.leafFrom(tree, leaf);
        assertTrue(size >= 1 && size <= leafSize, "a leaf of " + size);
      }
      assertEquals(numRows, next);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void copiesOfOneRowAreHalvedUntilTheyFit(boolean normalised) {
    for (float value : new float[] {0, 0.1f, Float.NaN}) {
      var rows = new float[1000][3];
      Arrays.stream(rows).forEach(row -> Arrays.fill(row, value));
      try (var forest = forest(rows, normalised, SMALL)) {
        assertIsPartition(forest, 1000, 8);
        assertEquals(new HashingForest.TreeShape(128, 7, 7.0, 127), forest.shape(0));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void oneClassIsALeafWithoutAHyperplane(boolean normalised) {
    try (var forest = forest(new float[][] {{1, 2}}, normalised, SMALL);
        var query = Clouds.matrix(new float[][] {{-3, 0}})) {
      assertEquals(new HashingForest.TreeShape(1, 0, 0.0, 0), forest.shape(5));
      var search = forest.newSearch();
      assertEquals(1, search.search(query.address(0), 10));
      assertEquals(0, search.classId(0));
      assertEquals(0, search.leaf(5));
      assertEquals(0, search.numHyperplanes());
      assertEquals(6, search.numLeaves());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void everyRowFallsIntoItsOwnLeaf(boolean normalised) {
    float[][] rows = Clouds.normal(random, 2000, 33);
    rows[17] = rows[1800]; // a few copies fit one leaf
    rows[18] = new float[33];
    try (var forest = forest(rows, normalised, SMALL);
        var queries = Clouds.matrix(rows)) {
      if (normalised) {
        toUnitLength(queries);
      }
      int[] leaves = new int[2000 * 6];
      forest.leaves(Clouds.addresses(queries), engine.workers(), leaves);
      for (int tree = 0; tree < 6; tree++) {
        assertEquals(0, forest.shape(tree).numRandomSplits());
        for (int c = 0; c < 2000; c++) {
          int leaf = leaves[6 * c + tree];
          int t = tree;
          int found = c;
          assertTrue(
              IntStream.range(forest.leafFrom(tree, leaf), forest.leafTo(tree, leaf))
                  .anyMatch(position -> forest.classId(t, position) == found),
              "class " + c + " is not in its leaf of tree " + tree);
        }
      }
    }
  }

  private void toUnitLength(RowMatrix rows) {
    for (int c = 0; c < rows.numRows(); c++) {
      long row = rows.address(c);
      float square = engine.backend().dot(row, row, rows.stride());
      float inverse = square == 0 ? 0 : (float) (1 / Math.sqrt(square));
      engine.backend().scaled(row, inverse, rows.stride(), row);
    }
  }

  @Test
  void lengthsDoNotMatterWhereDirectionsCount() {
    float[][] rows = Clouds.normal(random, 500, 20);
    float[][] longer = new float[500][];
    Arrays.setAll(longer, c -> scaled(rows[c], 1 << (c % 5)));
    try (var forest = forest(rows, true, SMALL);
        var same = forest(longer, true, SMALL);
        var other = forest(longer, false, SMALL)) {
      assertArrayEquals(classIds(forest, 3), classIds(same, 3));
      assertNotEquals(Arrays.toString(classIds(forest, 3)), Arrays.toString(classIds(other, 3)));
    }
  }

  private static float[] scaled(float[] row, float factor) {
    float[] scaled = new float[row.length];
    for (int j = 0; j < row.length; j++) {
      scaled[j] = factor * row[j];
    }
    return scaled;
  }

  /** A bisector cuts the longer of its points off from all others: trees would be lists. */
  @Test
  void rowsOfVeryDifferentLengthsMakeNoDeepTree() {
    float[][] rows = Clouds.normal(random, 4000, 64);
    Arrays.setAll(rows, c -> scaled(rows[c], (float) Math.exp(random.nextGaussian())));
    try (var forest = forest(rows, false, SMALL)) {
      var shape = forest.shape(0);
      assertTrue(shape.maxDepth() < 40, shape.toString());
      assertTrue(shape.meanDepth() < 20, shape.toString());
      assertEquals(0, shape.numRandomSplits());
    }
  }

  // ---- what a forest depends on --------------------------------------------------------------

  private static int[] classIds(HashingForest forest, int tree) {
    return IntStream.range(0, forest.numClasses()).map(p -> forest.classId(tree, p)).toArray();
  }

  @Test
  void theTreesOfASmallForestAreTheFirstOfALargeOne() {
    float[][] rows = Clouds.normal(random, 700, 10);
    try (var small = forest(rows, true, SMALL);
        var large = forest(rows, true, SMALL.withNumTrees(37))) {
      for (int tree = 0; tree < 6; tree++) {
        assertArrayEquals(classIds(small, tree), classIds(large, tree));
        assertEquals(small.shape(tree), large.shape(tree));
      }
      var different =
          IntStream.range(0, 37).mapToObj(tree -> Arrays.toString(classIds(large, tree)));
      assertEquals(37, different.distinct().count());
    }
  }

  @Test
  void treesDifferAndSoDoSeeds() {
    float[][] rows = Clouds.normal(random, 700, 10);
    try (var matrix = Clouds.matrix(rows);
        var one = HashingForest.build(matrix, true, SMALL, 1, engine);
        var again = HashingForest.build(matrix, true, SMALL, 1, engine);
        var other = HashingForest.build(matrix, true, SMALL, 2, engine)) {
      assertArrayEquals(classIds(one, 0), classIds(again, 0));
      assertNotEquals(Arrays.toString(classIds(one, 0)), Arrays.toString(classIds(one, 1)));
      assertNotEquals(Arrays.toString(classIds(one, 0)), Arrays.toString(classIds(other, 0)));
    }
  }

  @Test
  void theRowsMayMoveOnOnceTheForestIsBuilt() {
    try (var queries = Clouds.matrix(Clouds.normal(random, 20, 10))) {
      HashingForest forest;
      int[] before = new int[20 * 6];
      try (var matrix = Clouds.matrix(Clouds.normal(random, 700, 10))) {
        forest = HashingForest.build(matrix, false, SMALL, 1, engine);
        forest.leaves(Clouds.addresses(queries), engine.workers(), before);
        matrix.shards().getFirst().rows().fill((byte) 1);
      }
      int[] after = new int[20 * 6];
      forest.leaves(Clouds.addresses(queries), engine.workers(), after);
      assertArrayEquals(before, after);
      forest.close();
    }
  }

  @Test
  void rowsThatMoveMeanwhileStillMakeTrees() throws InterruptedException {
    try (var matrix = Clouds.matrix(Clouds.normal(random, 2000, 16))) {
      var built = new AtomicBoolean();
      var mover =
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int c = 0; !built.get(); c = (c + 1) % 2000) {
                      matrix.set(c, c % 16, -matrix.get(c, c % 16));
                    }
                  });
      try (var forest = HashingForest.build(matrix, true, SMALL.withNumTrees(40), 1, engine)) {
        assertIsPartition(forest, 2000, 8);
      } finally {
        built.set(true);
        mover.join();
      }
    }
  }

  @Test
  void itTakesFourBytesAClassANodeWithoutFloatsAndAnIntALeaf() {
    try (var forest = forest(Clouds.normal(random, 700, 33), true, SMALL)) {
      long expected = 0;
      for (int tree = 0; tree < 6; tree++) {
        int leaves = forest.numLeaves(tree);
        assertEquals(leaves, forest.shape(tree).numLeaves());
        expected += 4L * 700 + (16L + 48) * (leaves - 1) + 4L * (leaves + 1);
      }
      assertEquals(expected, forest.sizeInBytes());
      assertEquals(48, forest.stride());
      assertEquals(700, forest.numClasses());
      assertEquals(SMALL, forest.settings());
    }
  }

  @Test
  void theForecastOfItsBytesIsRightWithinATenth() {
    for (int leafSize : new int[] {32, 64, 128, 20_000}) {
      for (int dim : new int[] {8, 100}) {
        var settings = new HashingForest.Settings(3, leafSize);
        try (var forest = forest(Clouds.normal(random, 10_000, dim), true, settings)) {
          double bytes = forest.sizeInBytes();
          double expected = HashingForest.expectedBytes(10_000, dim, settings);
          assertEquals(bytes, expected, 0.1 * bytes, settings.toString());
        }
      }
    }
  }

  // ---- errors --------------------------------------------------------------------------------

  @Test
  void settingsOutOfRangeAreRefused() {
    assertEquals(
        "numTrees must be in [1, 10000], but was 0",
        assertThrows(
                IllegalArgumentException.class,
                () -> HashingForest.Settings.defaults().withNumTrees(0))
            .getMessage());
    assertEquals(
        "leafSize must be at least 1, but was 0",
        assertThrows(
                IllegalArgumentException.class,
                () -> HashingForest.Settings.defaults().withLeafSize(0))
            .getMessage());
  }

  @Test
  void leavesNeedRoom() {
    try (var forest = forest(new float[][] {{1, 2}}, true, SMALL)) {
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> forest.leaves(new long[3], engine.workers(), new int[17]));
      assertEquals("into.length must be at least 18, but was 17", e.getMessage());
    }
  }
}
