// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import megaclass.TestBackend;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows of 16 bits: what is kept, and that rounding adds up to nothing. */
class RowFormatTest {
  private static final RowMatrix.State WITH_VELOCITY = new RowMatrix.State(true, false, false);

  private final ComputeBackend backend = ComputeBackend.named(TestBackend.NAME);
  private final Arena arena = Arena.ofConfined();

  @AfterEach
  void close() {
    arena.close();
  }

  private MemorySegment floats(int stride, float value) {
    var row = NativeMemory.allocate(4L * stride, arena);
    for (int j = 0; j < stride; j++) {
      row.setAtIndex(ValueLayout.JAVA_FLOAT, j, value);
    }
    return row;
  }

  /** 0.7 of the way from one number of 8 bits of mantissa to the next, of either sign. */
  @ParameterizedTest
  @ValueSource(floats = {1 + 0.7f / 128, -1 - 0.7f / 128, 3e-20f, 1e-4f, 12345.6f})
  void theMeanOfManyRoundingsIsTheNumber(float value) {
    int stride = 32;
    var row = floats(stride, value);
    var widened = floats(stride, 0);
    try (var matrix = new RowMatrix(1, stride, RowMatrix.State.NONE, RowFormat.BF16)) {
      double sum = 0;
      int keys = 4000;
      for (int key = 0; key < keys; key++) {
        matrix.write(0, row.address(), key, backend);
        MemorySegment read =
            MemorySegment.ofAddress(matrix.read(0, widened.address(), backend))
                .reinterpret(4L * stride);
        for (int j = 0; j < stride; j++) {
          float rounded = read.getAtIndex(ValueLayout.JAVA_FLOAT, j);
          assertTrue(Math.abs(rounded - value) < Math.abs(value) / 128, value + " to " + rounded);
          sum += rounded;
        }
      }
      double step = Math.abs(value) / 128;
      double deviations = 5 * step / 2 / Math.sqrt(keys * stride);
      assertEquals(value, sum / keys / stride, deviations);
    }
  }

  @Test
  void numbersOfEightBitsStayAsTheyAre() {
    try (var matrix = new RowMatrix(3, 17, WITH_VELOCITY, RowFormat.BF16)) {
      var scratch = floats(32, 0);
      for (int key = 0; key < 100; key++) {
        float value = key * 0.25f - 8;
        matrix.write(1, floats(32, value).address(), key, backend);
        matrix.writeVelocity(1, floats(32, -value).address(), key, backend);
        assertEquals(value, matrix.get(1, 16));
        assertEquals(value, matrix.get(1, 0));
        long velocity = matrix.changeVelocity(1, scratch.address(), backend);
        assertEquals(
            -value,
            MemorySegment.ofAddress(velocity).reinterpret(4).get(ValueLayout.JAVA_FLOAT, 0));
      }
      assertEquals(0f, matrix.get(0, 16));
      assertEquals(0f, matrix.get(2, 0), "the next row");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 16, 17, 48, 130})
  void whatIsSetIsReadAtItsPlaceRoundedToTheNearest(int width) {
    try (var matrix = new RowMatrix(2, width, RowMatrix.State.NONE, RowFormat.BF16)) {
      var scratch = floats(matrix.stride(), Float.NaN);
      for (int j = 0; j < width; j++) {
        matrix.set(1, j, j + 1 + 0.4f / 256); // nearest to j + 1 up to 256
      }
      long read = matrix.read(1, scratch.address(), backend);
      assertEquals(scratch.address(), read);
      for (int j = 0; j < matrix.stride(); j++) {
        float expected = j < width ? j + 1 : 0;
        assertEquals(expected, scratch.getAtIndex(ValueLayout.JAVA_FLOAT, j), "column " + j);
        assertEquals(expected, matrix.get(1, j));
      }
      assertEquals(2L * matrix.stride(), matrix.sizeInBytes() / 2);
    }
  }

  /** float32 rows are read and changed where they lie. */
  @Test
  void rowsOfFullPrecisionAreNotCopied() {
    try (var matrix = new RowMatrix(2, 20, WITH_VELOCITY)) {
      assertEquals(matrix.address(1), matrix.read(1, 0, backend));
      assertEquals(matrix.velocityAddress(1), matrix.changeVelocity(1, 0, backend));
    }
  }

  @Test
  void unknownFormatsAreNamed() {
    var error = assertThrows(IllegalArgumentException.class, () -> RowFormat.parse("fp8"));
    assertEquals("dtype must be fp32 or bf16, but was \"fp8\"", error.getMessage());
    for (RowFormat format : RowFormat.values()) {
      assertEquals(format, RowFormat.parse(format.toString()));
    }
  }
}
