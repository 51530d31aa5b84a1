// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

/** Checks of dense rows. */
final class Rows {
  private Rows() {}

  /** The first column of a row that is NaN or infinite, or -1 if all are finite. */
  static int firstNotFinite(float[] row) {
    int largest = 0;
    for (float value : row) {
      largest = Math.max(largest, Float.floatToRawIntBits(value) & 0x7FFF_FFFF);
    }
    if (largest < 0x7F80_0000) {
      return -1;
    }
    int column = 0;
    while (Float.isFinite(row[column])) {
      column++;
    }
    return column;
  }

  static void requireFinite(float[] row, int dim, long example) {
    if (row.length != dim) {
      throw new IllegalArgumentException(
          "example " + example + " has " + row.length + " features, expected " + dim);
    }
    int column = firstNotFinite(row);
    if (column >= 0) {
      throw new IllegalArgumentException(
          "feature "
              + column
              + " of example "
              + example
              + " is "
              + row[column]
              + "; features must be finite");
    }
  }
}
