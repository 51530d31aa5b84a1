// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import megaclass.TestBackend;
import megaclass.compute.ComputeBackend;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RotationTest {
  private final ComputeBackend backend = ComputeBackend.named(TestBackend.NAME);
  private final SplittableRandom random = new SplittableRandom(20261123);
  private final Arena arena = Arena.ofConfined();

  @AfterEach
  void free() {
    arena.close();
  }

  private Rotation rotation(int dim, long seed) {
    return new Rotation(dim, seed, backend);
  }

  private float[] rotated(Rotation rotation, float[] row) {
    var padded = arena.allocate(4L * ComputeBackend.padded(row.length), 64);
    padded.copyFrom(MemorySegment.ofArray(row));
    var into = arena.allocate(4L * rotation.codeDim(), 64);
    rotation.rotate(padded.address(), into.address());
    return into.toArray(JAVA_FLOAT);
  }

  private float[] normal(int dim) {
    float[] row = new float[dim];
    for (int i = 0; i < dim; i++) {
      row[i] = (float) random.nextGaussian();
    }
    return row;
  }

  private static float[] unit(int dim, int i) {
    float[] row = new float[dim];
    row[i] = 1;
    return row;
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  @Test
  void aRotatedRowHasWholeWords() {
    assertEquals(
        List.of(64, 64, 64, 64, 128, 128, 192, 320, 512, 1024),
        Stream.of(3, 16, 33, 64, 100, 128, 192, 300, 512, 1000)
            .map(dim -> rotation(dim, 1).codeDim())
            .toList());
    assertEquals(5, rotation(300, 1).words());
    assertEquals(300, rotation(300, 1).dim());
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 16, 33, 64, 100, 128, 192, 300, 512, 1000})
  void normsAndInnerProductsAreKeptToRounding(int dim) {
    var rotation = rotation(dim, 7);
    for (int repeat = 0; repeat < 20; repeat++) {
      float[] a = normal(dim);
      float[] b = repeat % 2 == 0 ? normal(dim) : unit(dim, random.nextInt(dim));
      float[] ra = rotated(rotation, a);
      float[] rb = rotated(rotation, b);
      double norms = Math.sqrt(dot(a, a) * dot(b, b));
      assertEquals(dot(a, a), dot(ra, ra), 1e-6 * dot(a, a));
      assertEquals(dot(a, b), dot(ra, rb), 1e-6 * norms);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 33, 64, 100, 192, 300})
  void theColumnsOfARotationAreOrthonormal(int dim) {
    var rotation = rotation(dim, 3);
    var columns = new float[dim][];
    Arrays.setAll(columns, i -> rotated(rotation, unit(dim, i)));
    for (int i = 0; i < dim; i++) {
      for (int j = 0; j < dim; j++) {
        assertEquals(i == j ? 1 : 0, dot(columns[i], columns[j]), 1e-6);
      }
    }
  }

  /** Over rotations the entries of R are alike, and those of one column like normal numbers. */
  @ParameterizedTest
  @ValueSource(ints = {64, 128, 192, 320, 448, 512})
  void everyCoordinateIsSpreadEvenlyOverAll(int dim) {
    int draws = 1000;
    int[] columns = {0, 1, dim / 2 - 1, dim / 2, dim - 1};
    double[] fourth = new double[columns.length];
    double[][] second = new double[columns.length][dim];
    for (int seed = 0; seed < draws; seed++) {
      var rotation = rotation(dim, seed);
      for (int c = 0; c < columns.length; c++) {
        float[] column = rotated(rotation, unit(dim, columns[c]));
        for (int j = 0; j < dim; j++) {
          double square = (double) column[j] * column[j] * dim;
          second[c][j] += square / draws;
          fourth[c] += square * square / dim / draws;
        }
      }
    }
    for (int c = 0; c < columns.length; c++) {
      for (int j = 0; j < dim; j++) {
        assertEquals(1, second[c][j], 0.3, "entry (" + j + ", " + columns[c] + ")");
      }
      // A point on a sphere would have 3 dim / (dim + 2), a column that is not spread dim.
      assertEquals(3, fourth[c], 0.4, "fourth moment of column " + columns[c]);
    }
  }

  @Test
  void theSameSeedDrawsTheSameRotationOnEveryBackend() {
    for (int dim : new int[] {100, 300}) {
      float[] row = normal(dim);
      float[] first = rotated(rotation(dim, 5), row);
      assertArrayEquals(first, rotated(rotation(dim, 5), row));
      var scalar = new Rotation(dim, 5, ComputeBackend.named("scalar"));
      assertArrayEquals(first, rotated(scalar, row));
      assertFalse(Arrays.equals(first, rotated(rotation(dim, 6), row)));
    }
  }

  @Test
  void aDimBeyondTheLongestCodeIsRefused() {
    var e = assertThrows(IllegalArgumentException.class, () -> rotation(4097, 1));
    assertEquals("dim must be in [1, 4096], but was 4097", e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> rotation(0, 1));
    assertTrue(rotation(4096, 1).words() == 64);
  }
}
