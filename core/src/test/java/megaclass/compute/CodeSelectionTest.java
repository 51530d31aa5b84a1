// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is taken of the results of a scan, against the definition, {@link ScalarCodes}. */
class CodeSelectionTest extends BackendAgainstDefinition {
  private static final CodeKernels DEFINITION = SCALAR.codes();

  private final CodeKernels kernels = backend.codes();

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 100})
  void aboveAndBelowFindWhatIsStrictlyBeyondTheThreshold(int count) {
    for (int from : new int[] {0, 1, 19}) {
      int[] ints = IntStream.range(0, from + count + 5).map(_ -> random.nextInt(10)).toArray();
      float[] floats = Floats.values(ints.length, i -> ints[i]);
      for (int threshold : new int[] {-1, 0, 4, 9, 10}) {
        int to = from + count;
        int[] higher = IntStream.range(0, count).filter(i -> ints[from + i] > threshold).toArray();
        int[] lower = IntStream.range(0, count).filter(i -> ints[from + i] < threshold).toArray();
        for (CodeKernels k : List.of(DEFINITION, kernels)) {
          int[] found = new int[count];
          assertEquals(higher.length, k.above(floats, from, to, threshold, found));
          assertArrayEquals(higher, Arrays.copyOf(found, higher.length));
          assertEquals(lower.length, k.below(ints, from, to, threshold, found));
          assertArrayEquals(lower, Arrays.copyOf(found, lower.length));
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "15, 15", "16, 3", "33, 1", "100, 40", "1000, 7"})
  void thresholdIsReachedByTheLargestOnes(int size, int k) {
    float[] values = Floats.normal(random, size + 5, 1);
    Arrays.fill(values, size, size + 5, 100f); // what lies behind plays no part
    float threshold = kernels.threshold(values, size, k);
    assertEquals(DEFINITION.threshold(values, size, k), threshold);
    float[] sorted = Arrays.copyOf(values, size);
    Arrays.sort(sorted);
    float close = (sorted[size - 1] - sorted[0]) / (1 << ComputeBackend.HALVINGS) * 1.01f;
    assertTrue(threshold <= sorted[size - k] && threshold >= sorted[size - k] - close);
  }

  @Test
  void thresholdOfEqualValuesIsTheValue() {
    float[] values = new float[40];
    Arrays.fill(values, -0.3f);
    assertEquals(-0.3f, kernels.threshold(values, 40, 7));
  }

  @Test
  void whatIsNoNumberIsNeverAbove() {
    float[] values = new float[33];
    Arrays.fill(values, Float.NaN);
    values[20] = -Float.MAX_VALUE;
    int[] found = new int[33];
    assertEquals(1, kernels.above(values, 0, 33, Float.NEGATIVE_INFINITY, found));
    assertTrue(found[0] == 20);
  }
}
