// SPDX-License-Identifier: Apache-2.0
package megaclass.head;

import megaclass.internal.SpecText;

/**
 * What a device rounds the operands of its matrix products to. Sums, losses and updates of rows are
 * in float32 whatever it is.
 */
public enum Precision {
  /** 10 bits of mantissa: the float32 of tensor cores. */
  TF32,

  /** 7 bits of mantissa, at twice the rate of {@link #TF32}. */
  BF16,

  /** All 23 bits, without tensor cores: many times slower, to compare with. */
  FP32;

  /**
   * Reads the text of a constant, as "bf16".
   *
   * @throws IllegalArgumentException when there is none of that name
   */
  public static Precision parse(String text) {
    for (Precision precision : values()) {
      if (precision.toString().equals(text)) {
        return precision;
      }
    }
    throw new IllegalArgumentException(
        "device precision must be tf32, bf16 or fp32, but was \"" + text + "\"");
  }

  @Override
  public String toString() {
    return SpecText.text(this);
  }
}
