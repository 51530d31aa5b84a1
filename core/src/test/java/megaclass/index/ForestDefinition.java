// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import megaclass.internal.Hash;
import megaclass.internal.Permutation;
import org.jspecify.annotations.Nullable;

/**
 * The definition of {@link HashingForest}: plain recursion over lists of points in double
 * precision, with the same random draws. No groups, no sweeps, no bytes.
 */
final class ForestDefinition {
  /** A cell of a tree: one with two cells below, or a leaf. */
  sealed interface Tree {}

  record Split(Hyperplane plane, Tree left, Tree right) implements Tree {}

  record Leaf(List<Integer> points) implements Tree {}

  /** Points x with normal . x > threshold are on the left; a normal of zeros has none of them. */
  static final class Hyperplane {
    private final double[] normal;
    private final double threshold;

    Hyperplane(double[] normal, double threshold) {
      this.normal = normal;
      this.threshold = threshold;
    }

    boolean isLeft(double[] x) {
      return dot(normal, x) > threshold;
    }

    double distance(double[] x) {
      double length = Math.sqrt(dot(normal, normal));
      return length == 0 ? 0 : Math.abs(dot(normal, x) - threshold) / length;
    }
  }

  private final double[][] points;
  private final int leafSize;
  private final List<Tree> trees = new ArrayList<>();

  /**
   * Builds all trees.
   *
   * @param points (numClasses, dim); of unit length, or zero, if directions count
   */
  ForestDefinition(double[][] points, HashingForest.Settings settings, long seed) {
    this.points = points;
    this.leafSize = settings.leafSize();
    List<Integer> all = IntStream.range(0, points.length).boxed().toList();
    for (int t = 0; t < settings.numTrees(); t++) {
      trees.add(grow(all, Hash.key(seed, t)));
    }
  }

  private Tree grow(List<Integer> cell, long key) {
    if (cell.size() <= leafSize) {
      return new Leaf(cell);
    }
    var plane = hyperplane(cell, key);
    var left = new ArrayList<Integer>();
    var right = new ArrayList<Integer>();
    var order = new Permutation(cell.size(), Hash.key(key, 5));
    for (int i = 0; i < cell.size(); i++) {
      double[] x = points[cell.get(i)];
      boolean isLeft = plane == null ? order.at(i) < cell.size() / 2 : plane.isLeft(x);
      (isLeft ? left : right).add(cell.get(i));
    }
    return new Split(
        plane == null ? new Hyperplane(new double[points[0].length], 0) : plane,
        grow(left, Hash.key(key, 1)),
        grow(right, Hash.key(key, 2)));
  }

  private @Nullable Hyperplane hyperplane(List<Integer> cell, long key) {
    Hyperplane last = null;
    for (int attempt = 0; attempt < 3; attempt++) {
      var drawn = pair(cell, key, attempt);
      last = drawn == null ? last : drawn;
      if (drawn != null) {
        double t = drawn.threshold;
        long left = Arrays.stream(projections(cell, key, drawn)).filter(p -> p > t).count();
        if (left >= 1 && left <= 15) {
          return drawn;
        }
      }
    }
    return last == null ? null : atMedian(last, projections(cell, key, last));
  }

  /** The bisector of the first pair, of 64 at most, that differs. */
  private @Nullable Hyperplane pair(List<Integer> cell, long key, int attempt) {
    double[] a = points[cell.get(Hash.below(cell.size(), Hash.key(key, 3, attempt, 0)))];
    int start = Hash.below(cell.size(), Hash.key(key, 3, attempt, 1));
    for (int i = 0; i < Math.min(64, cell.size()); i++) {
      double[] b = points[cell.get((start + i) % cell.size())];
      double[] n = new double[a.length];
      double[] sum = new double[a.length];
      Arrays.setAll(n, j -> a[j] - b[j]);
      Arrays.setAll(sum, j -> a[j] + b[j]);
      double largest = Arrays.stream(n).map(Math::abs).max().orElse(0);
      if (largest > 0) {
        double[] rounded = Arrays.stream(n).map(v -> Math.rint(v * (127 / largest))).toArray();
        return new Hyperplane(rounded, dot(rounded, sum) / 2);
      }
    }
    return null;
  }

  private double[] projections(List<Integer> cell, long key, Hyperplane plane) {
    return IntStream.range(0, 16)
        .map(i -> cell.get(Hash.below(cell.size(), Hash.key(key, 4, i))))
        .mapToDouble(point -> dot(plane.normal, points[point]))
        .toArray();
  }

  /** The same normal, moved to the gap nearest to the middle of the projections; to below first. */
  private static @Nullable Hyperplane atMedian(Hyperplane plane, double[] projections) {
    double[] sorted = Arrays.stream(projections).sorted().toArray();
    return IntStream.range(0, 15)
        .boxed()
        .filter(i -> sorted[i] < sorted[i + 1])
        .min(Comparator.comparingInt(i -> Math.abs(i - 7)))
        .map(i -> new Hyperplane(plane.normal, sorted[i]))
        .orElse(null);
  }

  // ---- what a forest answers -----------------------------------------------------------------

  Tree tree(int tree) {
    return trees.get(tree);
  }

  /** The leaves of a tree from left to right. */
  List<Leaf> leaves(int tree) {
    var leaves = new ArrayList<Leaf>();
    collect(trees.get(tree), leaves);
    return leaves;
  }

  private static void collect(Tree tree, List<Leaf> into) {
    switch (tree) {
      case Leaf leaf -> into.add(leaf);
      case Split split -> {
        collect(split.left, into);
        collect(split.right, into);
      }
    }
  }

  static Leaf leaf(Tree tree, double[] x) {
    return switch (tree) {
      case Leaf leaf -> leaf;
      case Split split -> leaf(split.plane.isLeft(x) ? split.left : split.right, x);
    };
  }

  /** The union of the leaves of x, in the order of the trees. */
  Set<Integer> union(double[] x) {
    var found = new LinkedHashSet<Integer>();
    trees.forEach(tree -> found.addAll(leaf(tree, x).points));
    return found;
  }

  /**
   * How far a search has to go for each point: the smallest squared distance of a leaf that holds
   * it, the sum over the hyperplanes that lie between.
   */
  double[] squaredDistances(double[] x) {
    double[] distances = new double[points.length];
    Arrays.fill(distances, Double.POSITIVE_INFINITY);
    trees.forEach(tree -> reach(tree, x, 0, distances));
    return distances;
  }

  private static void reach(Tree tree, double[] x, double distance, double[] into) {
    switch (tree) {
      case Leaf leaf -> leaf.points.forEach(p -> into[p] = Math.min(into[p], distance));
      case Split split -> {
        double across = distance + Math.pow(split.plane.distance(x), 2);
        boolean isLeft = split.plane.isLeft(x);
        reach(split.left, x, isLeft ? distance : across, into);
        reach(split.right, x, isLeft ? across : distance, into);
      }
    }
  }

  static double dot(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(j -> a[j] * b[j]).sum();
  }
}
