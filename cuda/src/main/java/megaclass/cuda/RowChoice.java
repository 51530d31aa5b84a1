// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

/**
 * Rows that a kernel works on: {@code count} distinct class ids on the device, or a range.
 *
 * @param ids address of class ids (count, int), or 0 for the range
 * @param first of the range; unused with ids
 * @param count how many, at least 1
 */
record RowChoice(long ids, int first, int count) {
  /** The classes {@code [first, first + count)}. */
  static RowChoice range(int first, int count) {
    return new RowChoice(0, first, count);
  }

  /** Some of a list of class ids on the device: entries {@code [from, from + count)} of it. */
  static RowChoice of(DeviceBuffer ids, int from, int count) {
    return new RowChoice(ids.address() + 4L * from, 0, count);
  }

  /** Those at {@code [from, from + count)} of this choice. */
  RowChoice part(int from, int count) {
    return ids == 0 ? range(first + from, count) : new RowChoice(ids + 4L * from, 0, count);
  }
}
