// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

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
   * or down with probabilities that make the mean right, so that small steps are not lost (methods:
   * "bf16 + stochastic rounding"). Word k of a row of 2h numbers holds number k in its upper half
   * and number h + k in its lower half: both come out with one operation.
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
