// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

/**
 * The random bits of stochastic rounding: a 32-bit mix (the finaliser of MurmurHash3, Appleby) of a
 * key and a position, so that what is rounded how does not depend on order or threads.
 */
final class Rounding {
  /** From position to position: the golden ratio as a fraction of 2^32. */
  static final int STEP = 0x9E3779B9;

  static final int FIRST = 0x85EBCA6B;
  static final int SECOND = 0xC2B2AE35;

  private Rounding() {}

  /** Bits of a position: the lower half for one number, the upper half for another. */
  static int bits(int key, int position) {
    int x = key + STEP * position;
    x = (x ^ (x >>> 16)) * FIRST;
    x = (x ^ (x >>> 13)) * SECOND;
    return x ^ (x >>> 16);
  }
}
