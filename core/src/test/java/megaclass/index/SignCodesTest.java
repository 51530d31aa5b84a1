// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import megaclass.TestBackend;
import megaclass.compute.CodeKernels;
import megaclass.compute.ComputeBackend;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What sign codes of rotated rows say about angles and inner products, over random rotations. */
class SignCodesTest {
  private static final int ROTATIONS = 400;

  private final ComputeBackend backend = ComputeBackend.named(TestBackend.NAME);
  private final CodeKernels kernels = backend.codes();
  private final SplittableRandom random = new SplittableRandom(20261124);
  private final Arena arena = Arena.ofConfined();

  @AfterEach
  void free() {
    arena.close();
  }

  private MemorySegment nativeRow(float[] row) {
    var padded = arena.allocate(4L * ComputeBackend.padded(row.length), 64);
    return padded.copyFrom(MemorySegment.ofArray(row));
  }

  private MemorySegment floats(int count) {
    return arena.allocate(4L * count, 64);
  }

  /** A row whose coordinates are of very different size, as those of trained weights are. */
  private float[] uneven(int dim) {
    float[] row = new float[dim];
    for (int i = 0; i < dim; i++) {
      row[i] = (float) (random.nextGaussian() / (1 + i % 10));
    }
    return row;
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  /**
   * Errors of the estimates of w.x over rotations, in units of the bound's |w| |x| / sqrt(D - 1).
   */
  private final class Errors {
    private final int codeDim;
    private final double wLength;
    private final double exact;
    private final double unit;
    private double sum;
    private double squares;
    private double sumWithoutShrinkage;
    private int withinBound;

    Errors(float[] w, float[] x) {
      int dim = w.length;
      codeDim = new Rotation(dim, 0, backend).codeDim();
      wLength = Math.sqrt(dot(w, w));
      exact = dot(w, x);
      double across = dot(x, x) - exact * exact / (wLength * wLength);
      unit = wLength * Math.sqrt(across / (codeDim - 1));
      var row = nativeRow(w);
      var embedding = nativeRow(x);
      for (int seed = 0; seed < ROTATIONS; seed++) {
        add(new Rotation(dim, seed, backend), row, embedding);
      }
    }

    private void add(Rotation rotation, MemorySegment row, MemorySegment embedding) {
      int words = rotation.words();
      var rotated = floats(codeDim);
      rotation.rotate(row.address(), rotated.address());
      var codes = arena.allocate(CodeKernels.bytes(1, words), 64);
      float absolute = kernels.signs(rotated.address(), words, codes.address(), CodeKernels.BLOCK);
      var factors = floats(CodeKernels.BLOCK);
      factors.setAtIndex(JAVA_FLOAT, 0, (float) (wLength * wLength / absolute));
      rotation.rotate(embedding.address(), rotated.address());
      var query = arena.allocate(8L * words * CodeKernels.PLANES, 64);
      float scale = kernels.planes(rotated.address(), words, query.address());
      float[] estimate = new float[CodeKernels.BLOCK];
      kernels.estimates(
          new long[] {query.address()},
          new float[] {scale},
          new float[] {0},
          1,
          codes.address(),
          factors.address(),
          1,
          words,
          new long[CodeKernels.BLOCK],
          estimate);
      // The cosine of the code with its row; e = |w| sqrt(1 - t^2) / t.
      double t = absolute / (wLength * Math.sqrt(codeDim));
      double error = (estimate[0] - exact) / unit;
      sum += error;
      squares += error * error;
      sumWithoutShrinkage += (estimate[0] * t - exact) / unit;
      withinBound += Math.abs(error) <= 1.9 * Math.sqrt(1 - t * t) / t ? 1 : 0;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 100, 128, 192})
  void theEstimateOfAnInnerProductIsUnbiasedAndItsBoundHolds(int dim) {
    int pairs = 24;
    double standardised = 0;
    double standardisedWithoutShrinkage = 0;
    double within = 0;
    for (int pair = 0; pair < pairs; pair++) {
      float[] x = uneven(dim);
      float[] w = uneven(dim);
      for (int i = 0; i < dim; i++) {
        w[i] += x[i]; // half of w, so that its inner product with x is not about 0
      }
      var errors = new Errors(w, x);
      double deviationOfMean = Math.sqrt(errors.squares) / ROTATIONS;
      double z = errors.sum / ROTATIONS / deviationOfMean;
      standardised += z * z / pairs;
      double without = errors.sumWithoutShrinkage / ROTATIONS / deviationOfMean;
      standardisedWithoutShrinkage += without * without / pairs;
      within += (double) errors.withinBound / ROTATIONS / pairs;
    }
    // Mean of 24 squares of normal numbers: 1, with a deviation of 0.29.
    assertTrue(standardised < 2, "mean square of the standardised bias: " + standardised);
    assertTrue(standardisedWithoutShrinkage > 100, "the division by t is what makes it unbiased");
    assertEquals(0.945, within, 0.015, "share of estimates within the bound at 1.9");
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 100, 128, 192, 512})
  void aBitDiffersWithTheProbabilityOfTheAngle(int dim) {
    for (double theta : new double[] {0.2, 0.8, Math.PI / 2, 2.5}) {
      assertEquals(theta / Math.PI, shareOfDifferentBits(uneven(dim), uneven(dim), theta), 0.01);
      // The hardest rows: all in one coordinate and all in two.
      float[] one = new float[dim];
      float[] other = new float[dim];
      one[0] = 1;
      other[dim - 1] = 1;
      assertEquals(theta / Math.PI, shareOfDifferentBits(one, other, theta), 0.02);
    }
  }

  /** Of a and the row in the plane of a and b that has the angle theta with it. */
  private double shareOfDifferentBits(float[] a, float[] b, double theta) {
    int dim = a.length;
    double along = dot(a, b) / dot(a, a);
    float[] across = new float[dim];
    for (int i = 0; i < dim; i++) {
      across[i] = (float) (b[i] - along * a[i]);
    }
    double turn = Math.tan(theta) * Math.sqrt(dot(a, a) / dot(across, across));
    double sign = theta > Math.PI / 2 ? -1 : 1;
    float[] turned = new float[dim];
    for (int i = 0; i < dim; i++) {
      turned[i] = (float) (sign * (a[i] + turn * across[i]));
    }
    var row = nativeRow(a);
    var query = nativeRow(turned);
    long different = 0;
    long bits = 0;
    for (int seed = 0; seed < ROTATIONS; seed++) {
      var rotation = new Rotation(dim, seed, backend);
      int words = rotation.words();
      var rotated = floats(rotation.codeDim());
      var codes = arena.allocate(CodeKernels.bytes(1, words), 64);
      var queryCode = arena.allocate(8L * words, 8);
      rotation.rotate(row.address(), rotated.address());
      kernels.signs(rotated.address(), words, codes.address(), CodeKernels.BLOCK);
      rotation.rotate(query.address(), rotated.address());
      kernels.signs(rotated.address(), words, queryCode.address(), 1);
      int[] distances = new int[CodeKernels.BLOCK];
      long[] queries = {queryCode.address()};
      kernels.distances(queries, 1, codes.address(), 1, words, distances);
      different += distances[0];
      bits += rotation.codeDim();
    }
    return (double) different / bits;
  }

  @Test
  void theOppositeRowHasTheOppositeCode() {
    float[] row = uneven(64);
    assertEquals(1, shareOfDifferentBits(row, uneven(64), Math.PI), 1e-3);
  }
}
