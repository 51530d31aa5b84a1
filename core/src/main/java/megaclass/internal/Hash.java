// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static java.lang.Long.rotateLeft;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Hashes that never change: of bytes (XXH64 with seed 0, Yann Collet's xxHash) and of numbers (the
 * finaliser of SplitMix64). Stored files and the random draws of a run depend on their values.
 */
public final class Hash {
  private static final long PRIME_1 = 0x9E3779B185EBCA87L;
  private static final long PRIME_2 = 0xC2B2AE3D27D4EB4FL;
  private static final long PRIME_3 = 0x165667B19E3779F9L;
  private static final long PRIME_4 = 0x85EBCA77C2B2AE63L;
  private static final long PRIME_5 = 0x27D4EB2F165667C5L;

  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private Hash() {}

  /** A bijection of 64-bit numbers whose output bits each depend on every input bit. */
  public static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /**
   * Random bits for one purpose: a function of a seed and the number of the draw, so that no
   * generator with a state is needed and any draw can be repeated alone.
   */
  public static long key(long seed, long a) {
    return mix(mix(seed + GOLDEN_GAMMA) + a * GOLDEN_GAMMA + GOLDEN_GAMMA);
  }

  /** Random bits as a function of a seed and two numbers. */
  public static long key(long seed, long a, long b) {
    return key(key(seed, a), b);
  }

  /** Random bits as a function of a seed and three numbers. */
  public static long key(long seed, long a, long b, long c) {
    return key(key(key(seed, a), b), c);
  }

  /** A number in [0, bound) from 64 random bits; each equally likely up to bound / 2^64. */
  public static int below(int bound, long randomBits) {
    return (int) Math.unsignedMultiplyHigh(randomBits, bound);
  }

  /** A number in [0, 1) from 64 random bits: a multiple of 2^-53. */
  public static double unit(long randomBits) {
    return (randomBits >>> 11) * 0x1p-53;
  }

  /** XXH64 of {@code bytes[from, from + length)}. */
  public static long of(byte[] bytes, int from, int length) {
    return of(MemorySegment.ofArray(bytes), from, length);
  }

  /** XXH64 of the bytes [from, from + length) of a segment. */
  public static long of(MemorySegment bytes, long from, long length) {
    long at = from;
    long end = from + length;
    long h;
    if (length >= 32) {
      long a = 0x60EA27EEADC0B5D6L; // PRIME_1 + PRIME_2
      long b = PRIME_2;
      long c = 0;
      long d = -PRIME_1;
      for (; at + 32 <= end; at += 32) {
        a = round(a, bytes.get(LittleEndian.LONG, at));
        b = round(b, bytes.get(LittleEndian.LONG, at + 8));
        c = round(c, bytes.get(LittleEndian.LONG, at + 16));
        d = round(d, bytes.get(LittleEndian.LONG, at + 24));
      }
      h = rotateLeft(a, 1) + rotateLeft(b, 7) + rotateLeft(c, 12) + rotateLeft(d, 18);
      h = merge(merge(merge(merge(h, a), b), c), d);
    } else {
      h = PRIME_5;
    }
    h += length;
    for (; at + 8 <= end; at += 8) {
      h = rotateLeft(h ^ round(0, bytes.get(LittleEndian.LONG, at)), 27) * PRIME_1 + PRIME_4;
    }
    if (at + 4 <= end) {
      long word = bytes.get(LittleEndian.INT, at) & 0xFFFFFFFFL;
      h = rotateLeft(h ^ (word * PRIME_1), 23) * PRIME_2 + PRIME_3;
      at += 4;
    }
    for (; at < end; at++) {
      long word = bytes.get(ValueLayout.JAVA_BYTE, at) & 0xFFL;
      h = rotateLeft(h ^ (word * PRIME_5), 11) * PRIME_1;
    }
    h = (h ^ (h >>> 33)) * PRIME_2;
    h = (h ^ (h >>> 29)) * PRIME_3;
    return h ^ (h >>> 32);
  }

  private static long round(long lane, long word) {
    return rotateLeft(lane + word * PRIME_2, 31) * PRIME_1;
  }

  private static long merge(long h, long lane) {
    return (h ^ round(0, lane)) * PRIME_1 + PRIME_4;
  }
}
