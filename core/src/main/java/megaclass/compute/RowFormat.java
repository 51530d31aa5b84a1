// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static megaclass.compute.NativeMemory.ALL;

import megaclass.internal.SpecText;

/**
 * How the numbers of a row lie in memory and in files. All arithmetic is on float32; a format says
 * what is kept of the result.
 */
public enum RowFormat {
  /** float32, one number after the other. */
  FP32(4),

  /**
   * The upper half of each float32 (8 bits of exponent, 7 of mantissa), rounded stochastically: up
   * or down with probabilities that make the mean right, so that small steps are not lost (Gupta et
   * al. 2015). Word k of a row of 2h numbers holds number k in its upper half and number h + k in
   * its lower half: both come out with one operation.
   */
  BF16(2);

  private final int bytes;

  RowFormat(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of so many numbers. */
  long bytes(int numbers) {
    return (long) bytes * numbers;
  }

  /**
   * One number of a row, read by itself.
   *
   * @param row address of {@code stride} numbers
   */
  float get(long row, int stride, int column) {
    return switch (this) {
      case FP32 -> ALL.get(JAVA_FLOAT_UNALIGNED, row + 4L * column);
      case BF16 ->
          Float.intBitsToFloat(ALL.get(JAVA_SHORT_UNALIGNED, row + half(stride, column)) << 16);
    };
  }

  /** Sets one number of a row, rounded to the nearest; as {@link #get}. */
  void set(long row, int stride, int column, float value) {
    switch (this) {
      case FP32 -> ALL.set(JAVA_FLOAT_UNALIGNED, row + 4L * column, value);
      case BF16 -> {
        int rounded = (Float.floatToIntBits(value) + 0x8000) >>> 16;
        ALL.set(JAVA_SHORT_UNALIGNED, row + half(stride, column), (short) rounded);
      }
    }
  }

  /** Offset in a row of the 16 bits of one number: of a word, the upper half comes second. */
  private static long half(int stride, int column) {
    int words = stride / 2;
    return 4L * (column % words) + (column < words ? 2 : 0);
  }

  /**
   * Reads the text of a constant, as "bf16".
   *
   * @throws IllegalArgumentException when there is none of that name
   */
  public static RowFormat parse(String text) {
    for (RowFormat format : values()) {
      if (format.toString().equals(text)) {
        return format;
      }
    }
    throw new IllegalArgumentException("dtype must be fp32 or bf16, but was \"" + text + "\"");
  }

  @Override
  public String toString() {
    return SpecText.text(this);
  }
}
