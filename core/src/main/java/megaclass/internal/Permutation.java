// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

/**
 * A pseudo-random bijection of [0, size), chosen by a key and computed number by number: a Feistel
 * network over the smallest power of two that holds the size, walked along its cycle until the
 * result is below the size (fewer than two evaluations on average). It takes no memory, so that any
 * position of a shuffle of any length can be had at once.
 *
 * <p>Immutable and thread-safe.
 */
public final class Permutation {
  private static final int ROUNDS = 4;

  private final long size;
  private final int lowBits;
  private final long lowMask;
  private final long highMask;
  private final long[] roundKeys = new long[2 * ROUNDS];

  /** The permutation of [0, size) that belongs to the key; size is at least 1. */
  public Permutation(long size, long key) {
    this.size = Check.positive("size", size);
    int bits = 64 - Long.numberOfLeadingZeros(size - 1);
    this.lowBits = bits / 2;
    this.lowMask = (1L << lowBits) - 1;
    this.highMask = (1L << (bits - lowBits)) - 1;
    for (int i = 0; i < roundKeys.length; i++) {
      roundKeys[i] = Hash.key(key, i);
    }
  }

  /** How many numbers are permuted. */
  public long size() {
    return size;
  }

  /** The number that stands at position {@code i} in [0, size). */
  public long at(long i) {
    if (i < 0 || i >= size) {
      throw new IndexOutOfBoundsException("position " + i + " is not in [0, " + size + ")");
    }
    long x = i;
    do {
      x = feistel(x);
    } while (x >= size);
    return x;
  }

  /** Each half in turn is xor-ed with a hash of the other one: a bijection whatever the hash. */
  private long feistel(long x) {
    long low = x & lowMask;
    long high = x >>> lowBits;
    for (int round = 0; round < 2 * ROUNDS; round += 2) {
      high ^= Hash.mix(roundKeys[round] + low) & highMask;
      low ^= Hash.mix(roundKeys[round + 1] + high) & lowMask;
    }
    return (high << lowBits) | low;
  }
}
