// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Operations on rows against their definition. */
class RowOperationsTest extends BackendAgainstDefinition {

  // ---- rows ----------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(ints = {16, 32, 48, 128, 1040})
  void dotAgreesWithTheDefinitionToRounding(int stride) {
    float[] a = Floats.normal(random, stride, 1);
    float[] b = Floats.normal(random, stride, 1);
    double exact = 0;
    double size = 0;
    for (int j = 0; j < stride; j++) {
      exact += (double) a[j] * b[j];
      size += Math.abs((double) a[j] * b[j]);
    }
    long x = Floats.of(a, arena).address();
    long y = Floats.of(b, arena).address();
    double bound = stride * 0x1p-24 * size;
    assertEquals(exact, SCALAR.dot(x, y, stride), bound);
    assertEquals(exact, backend.dot(x, y, stride), bound);
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 32, 48, 128, 1040})
  void dotTakesEveryElementOnce(int stride) {
    float[] ones = new float[stride];
    Arrays.fill(ones, 1f);
    long b = Floats.of(ones, arena).address();
    for (int j = 0; j < stride; j++) {
      float[] one = new float[stride];
      one[j] = j + 1;
      assertEquals(j + 1f, backend.dot(Floats.of(one, arena).address(), b, stride));
    }
    assertEquals(stride, backend.dot(b, b, stride));
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 32, 48, 128, 1040})
  void manyDotsAreSingleDotsBitForBit(int stride) {
    var row = Floats.random(random, stride, arena);
    for (int count : new int[] {0, 1, 2, 3, 4, 5, 50}) {
      byte[][] codes = new byte[count][stride];
      long[] codeRows = new long[count + 1];
      long[] floatRows = new long[count + 1];
      for (int i = 0; i < count; i++) {
        random.nextBytes(codes[i]);
        byte[] values = codes[i];
        codeRows[i] = arena.allocateFrom(ValueLayout.JAVA_BYTE, values).address();
        floatRows[i] = Floats.of(Floats.values(stride, j -> values[j]), arena).address();
      }
      for (ComputeBackend each : List.of(backend, SCALAR)) {
        float[] expected = new float[count + 1];
        for (int i = 0; i < count; i++) {
          expected[i] = each.dot(floatRows[i], row.address(), stride);
        }
        expected[count] = 1234.5f; // and nothing behind them
        float[] actual = expected.clone();
        Arrays.fill(actual, 0, count, Float.NaN);
        each.dots(floatRows, count, row.address(), stride, actual);
        assertArrayEquals(expected, actual);
        Arrays.fill(actual, 0, count, Float.NaN);
        each.codeDots(codeRows, count, row.address(), stride, actual);
        assertArrayEquals(expected, actual);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 48, 128})
  void narrowAndWidenAreThoseOfTheDefinitionBitForBit(int stride) {
    float[] values = Floats.normal(random, stride, 1);
    values[0] = Float.POSITIVE_INFINITY;
    values[stride - 1] = -0f;
    var row = Floats.of(values, arena);
    for (int key : new int[] {0, 1, -1, random.nextInt()}) {
      assertSameBits(
          new float[stride / 2], (b, into) -> b.narrow(row.address(), stride, key, into.address()));
      var narrowed = Floats.of(new float[stride], arena);
      SCALAR.narrow(row.address(), stride, key, narrowed.address());
      assertSameBits(stride, (b, into) -> b.widen(narrowed.address(), stride, into.address()));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 48, 128})
  void scaledAndAddScaledAreThoseOfTheDefinitionBitForBit(int stride) {
    var row = Floats.random(random, stride, arena);
    assertSameBits(stride, (b, into) -> b.scaled(row.address(), -1.7f, stride, into.address()));
    assertSameBits(
        Floats.normal(random, stride, 1),
        (b, inPlace) -> b.scaled(inPlace.address(), 0.3f, stride, inPlace.address()));
    assertSameBits(
        Floats.normal(random, stride, 1),
        (b, into) -> b.addScaled(row.address(), -1.7f, stride, into.address()));
  }

  static Stream<Arguments> sums() {
    return cross(List.of(0, 1, 2, 3, 4, 5, 8, 11), List.of(16, 48));
  }

  @ParameterizedTest
  @MethodSource("sums")
  void sumIsThatOfTheDefinitionBitForBit(int count, int stride) {
    var rows = Floats.random(random, 16 * stride, arena);
    long[] addresses = new long[count + 4];
    Arrays.setAll(addresses, _ -> rows.address() + 4L * stride * random.nextInt(16));
    float[] sum =
        assertSameBits(stride, (b, into) -> b.sum(addresses, 2, 2 + count, stride, into.address()));
    if (count == 0) {
      assertArrayEquals(new float[stride], sum);
    }
  }

  static Stream<Arguments> momentumSteps() {
    return cross(List.of(0.0f, 0.9f), List.of(false, true));
  }

  @ParameterizedTest
  @MethodSource("momentumSteps")
  void momentumStepIsThatOfTheDefinitionBitForBit(float decay, boolean nesterov) {
    for (int stride : new int[] {16, 48, 128}) {
      var gradient = Floats.random(random, stride, arena);
      assertSameBits( // the velocity lies behind the weights
          Floats.normal(random, 2 * stride, 1),
          (b, w) ->
              b.momentumStep(
                  w.address(),
                  w.address() + 4L * stride,
                  gradient.address(),
                  stride,
                  0.1f,
                  0.9f,
                  decay,
                  nesterov));
      gradient.toArray();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 48, 128})
  void transformIsThatOfTheDefinitionBitForBit(int stride) {
    assertSameBits(
        Floats.normal(random, 2 * stride, 1),
        (b, w) ->
            b.transform(w.address(), w.address() + 4L * stride, stride, 0.9f, 0.01f, -0.3f, 0.99f));
  }

  // ---- both -----------------------------------------------------------------------------------
}
