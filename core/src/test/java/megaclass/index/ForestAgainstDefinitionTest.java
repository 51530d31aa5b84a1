// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.TestBackend;
import megaclass.compute.Engine;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The forest against {@link ForestDefinition}, on values whose products are exact, so that both see
 * every point on the same side.
 */
class ForestAgainstDefinitionTest {
  private static final long SEED = 20261121;

  static Stream<Arguments> problems() {
    var problems = new ArrayList<Arguments>();
    for (boolean normalised : new boolean[] {false, true}) {
      for (int numRows : new int[] {1, 2, 3, 17, 130, 1100}) {
        for (int dim : new int[] {1, 3, 16, 17, 40}) {
          problems.add(Arguments.of(numRows, dim, normalised));
        }
      }
    }
    return problems.stream();
  }

  @ParameterizedTest
  @MethodSource("problems")
  void everyTreeHasTheLeavesOfTheDefinition(int numRows, int dim, boolean normalised) {
    float[][] rows = rows(numRows, dim, normalised, SEED);
    for (int leafSize : new int[] {1, 5, 64}) {
      var settings = new HashingForest.Settings(numRows < 100 ? 18 : 3, leafSize);
      var definition = new ForestDefinition(Clouds.points(rows, normalised), settings, SEED);
      try (var forest = forest(rows, normalised, settings)) {
        for (int tree = 0; tree < settings.numTrees(); tree++) {
          assertEquals(
              definition.leaves(tree).stream().map(ForestDefinition.Leaf::points).toList(),
              leaves(forest, tree),
              "tree " + tree + ", leaves of " + leafSize);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("problems")
  void everyEmbeddingFallsIntoTheLeavesOfTheDefinition(int numRows, int dim, boolean normalised) {
    float[][] rows = rows(numRows, dim, normalised, SEED);
    float[][] embeddings = rows(65, dim, normalised, SEED + 1);
    double[][] points = Clouds.points(embeddings, false);
    var settings = new HashingForest.Settings(5, 4);
    var definition = new ForestDefinition(Clouds.points(rows, normalised), settings, SEED);
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var forest = forest(rows, normalised, settings);
        var matrix = Clouds.matrix(embeddings)) {
      int[] found = new int[65 * 5];
      forest.leaves(Clouds.addresses(matrix), engine.workers(), found);
      for (int i = 0; i < 65; i++) {
        for (int tree = 0; tree < 5; tree++) {
          assertEquals(
              ForestDefinition.leaf(definition.tree(tree), points[i]).points(),
              leaf(forest, tree, found[5 * i + tree]));
        }
      }
    }
  }

  /** Not on a grid: there, many branches would be equally far away. */
  @ParameterizedTest
  @MethodSource("problems")
  void candidatesAreThoseOfTheDefinition(int numRows, int dim, boolean normalised) {
    var random = new SplittableRandom(SEED);
    float[][] rows = Clouds.normal(random, numRows, dim + 1); // on a line there are two directions
    float[][] embeddings = Clouds.normal(random, 9, dim + 1);
    double[][] points = Clouds.points(embeddings, false);
    var settings = new HashingForest.Settings(4, 7);
    var definition = new ForestDefinition(Clouds.points(rows, normalised), settings, SEED);
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var forest = forest(rows, normalised, settings);
        var matrix = Clouds.matrix(embeddings)) {
      for (int atLeast : new int[] {0, 1, 20, 100, numRows, numRows + 5}) {
        var found = forest.candidates(Clouds.addresses(matrix), atLeast, engine.workers());
        for (int i = 0; i < 9; i++) {
          var union = definition.union(points[i]).stream().toList();
          var first = Arrays.stream(found[i]).limit(union.size()).boxed().toList();
          assertEquals(union, first, "embedding " + i);
          assertAreNearest(found[i], definition.squaredDistances(points[i]));
        }
      }
    }
  }

  /** Up to rounding, which decides between branches that are equally far away. */
  private static void assertAreNearest(int[] found, double[] distances) {
    double reached = 0;
    for (int classId : found) {
      assertTrue(distances[classId] >= reached - 1e-5, "class " + classId + " comes too late");
      reached = Math.max(reached, distances[classId]);
      distances[classId] = Double.POSITIVE_INFINITY;
    }
    double next = Arrays.stream(distances).min().orElseThrow();
    assertTrue(next >= reached - 1e-5, "a nearer class was left out");
  }

  private static float[][] rows(int numRows, int dim, boolean normalised, long seed) {
    var random = new SplittableRandom(seed + 1000L * numRows + dim);
    return normalised
        ? Clouds.exactDirections(random, numRows, dim)
        : Clouds.grid(random, numRows, dim);
  }

  private static HashingForest forest(
      float[][] rows, boolean normalised, HashingForest.Settings settings) {
    try (var engine = Engine.start(TestBackend.NAME, 2);
        var matrix = Clouds.matrix(rows)) {
      return HashingForest.build(matrix, normalised, settings, SEED, engine);
    }
  }

  private static List<List<Integer>> leaves(HashingForest forest, int tree) {
    return IntStream.range(0, forest.numLeaves(tree))
        .mapToObj(leaf -> leaf(forest, tree, leaf))
        .toList();
  }

  private static List<Integer> leaf(HashingForest forest, int tree, int leaf) {
    return IntStream.range(forest.leafFrom(tree, leaf), forest.leafTo(tree, leaf))
        .mapToObj(position -> forest.classId(tree, position))
        .toList();
  }
}
