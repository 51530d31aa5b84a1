// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import megaclass.compute.CodeKernels;
import megaclass.compute.ComputeBackend;
import megaclass.internal.Check;
import megaclass.internal.Hash;

/**
 * A random rotation R of rows, after which the sign of each coordinate says equally much of the
 * row: without it, coordinates that go together waste bits.
 *
 * <p>R is orthogonal: norms and inner products are kept to rounding. A row of {@code dim} floats
 * gets {@code codeDim} coordinates, {@code dim} rounded up to whole words of bits. It is not drawn
 * from all rotations, which would cost codeDim^2 a row, but made of rounds of random signs and a
 * Hadamard transform, which cost codeDim log(codeDim). Three rounds where codeDim is a power of
 * two, but four at 64, where a row of a few floats needs them.
 *
 * <p>Otherwise there are four, which transform by turns the first and the last coordinates, as many
 * as the largest power of two, and each mixes the two halves afterwards, as the library of RaBitQ's
 * authors does after Kac. One half gets random signs of its own before that: without them some
 * entries of R are in the mean square 2.5 times as large as others.
 *
 * <p>Immutable; threads may rotate at the same time.
 */
public final class Rotation {
  /** Most floats of a row. */
  public static final int MAX_DIM = CodeKernels.MAX_WORDS * CodeKernels.WORD;

  private final int dim;
  private final int codeDim;
  private final float[] factors;
  private final CodeKernels kernels;

  /**
   * Draws a rotation.
   *
   * @param dim floats of a row, from 1 to {@link #MAX_DIM}
   * @param seed of the signs: the same seed draws the same rotation
   * @param backend that computes; every one to the same bits
   */
  public Rotation(int dim, long seed, ComputeBackend backend) {
    Check.inRange("dim", dim, 1, MAX_DIM);
    this.dim = dim;
    kernels = backend.codes();
    codeDim = Math.ceilDiv(dim, CodeKernels.WORD) * CodeKernels.WORD;
    factors = factors(codeDim, seed);
  }

  /** Random signs, scaled where a transform of +1 and -1 multiplies them. */
  private static float[] factors(int codeDim, long seed) {
    int size = Integer.highestOneBit(codeDim);
    int rounds = size == codeDim && codeDim > CodeKernels.WORD ? 3 : 4;
    int perRound = CodeKernels.factorsOfRound(codeDim);
    float scale = (float) (1 / Math.sqrt(size));
    float[] factors = new float[rounds * perRound];
    for (int round = 0; round < rounds; round++) {
      int start = round % 2 == 0 ? 0 : codeDim - size;
      for (int i = 0; i < perRound; i++) {
        long signs = Hash.key(seed, round, i / Long.SIZE);
        float factor = i >= start && i < start + size ? scale : 1f;
        factors[round * perRound + i] = ((signs >>> i) & 1) == 0 ? factor : -factor;
      }
    }
    return factors;
  }

  /** Floats of a row. */
  public int dim() {
    return dim;
  }

  /** Floats of a rotated row: {@code dim} rounded up to a multiple of 64. */
  public int codeDim() {
    return codeDim;
  }

  /** Multiplications and additions that a row takes, for its share of what a machine can do. */
  public long operations() {
    int size = Integer.highestOneBit(codeDim);
    int stages = Integer.numberOfTrailingZeros(size);
    int mixing = size == codeDim ? 0 : codeDim;
    int rounds = factors.length / CodeKernels.factorsOfRound(codeDim);
    return (long) rounds * (codeDim + (long) size * stages + mixing);
  }

  /** Longs of a code of a rotated row. */
  public int words() {
    return codeDim / CodeKernels.WORD;
  }

  /**
   * The factors of all rounds, one after the other, as {@link CodeKernels#rotate} takes them: for
   * those who rotate elsewhere, as on a GPU.
   */
  public float[] factors() {
    return factors.clone();
  }

  /**
   * Rotates a row. Addresses are raw: the caller owns the memory and has checked its ranges.
   *
   * @param row (dim), padded with zeros to a multiple of 16
   * @param into (codeDim), written; may be {@code row} when that has room
   */
  public void rotate(long row, long into) {
    kernels.rotate(row, ComputeBackend.padded(dim), factors, codeDim, into);
  }
}
