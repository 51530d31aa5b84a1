// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

/**
 * The class weights on the device as an index sees them; {@link megaclass.index.IndexedRows}.
 *
 * @param matrix (numClasses, dim)
 * @param normalised whether directions count, of length 1
 */
record DeviceIndexedRows(DeviceRows matrix, boolean normalised) {
  /** The same, found by their places among these. */
  DeviceIndexedRows byPlace() {
    return new DeviceIndexedRows(matrix.byPlace(), normalised);
  }

  /** For kernels, which take flags as ints. */
  int bf16() {
    return matrix.bf16() ? 1 : 0;
  }

  /** For kernels, as {@link #bf16}. */
  int directions() {
    return normalised ? 1 : 0;
  }
}
