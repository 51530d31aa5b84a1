// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The most that a core can do: fused multiply-adds on registers alone. Ten chains hide the latency
 * of two units of four cycles, and fit the 16 registers of AVX2.
 */
final class FmaPeak {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int CHAINS = 10;

  private FmaPeak() {}

  /** Floating-point operations of a {@link #run}. */
  static double operations(int turns) {
    return 2.0 * CHAINS * S.length() * turns;
  }

  /**
   * Runs; all values go towards 2.
   *
   * @param values (64) where the chains begin, and where their sum goes
   */
  static void run(int turns, float[] values) {
    FloatVector half = FloatVector.broadcast(S, 0.5f);
    FloatVector one = FloatVector.broadcast(S, 1f);
    FloatVector c0 = FloatVector.broadcast(S, values[0]);
    FloatVector c1 = FloatVector.broadcast(S, values[1]);
    FloatVector c2 = FloatVector.broadcast(S, values[2]);
    FloatVector c3 = FloatVector.broadcast(S, values[3]);
    FloatVector c4 = FloatVector.broadcast(S, values[4]);
    FloatVector c5 = FloatVector.broadcast(S, values[5]);
    FloatVector c6 = FloatVector.broadcast(S, values[6]);
    FloatVector c7 = FloatVector.broadcast(S, values[7]);
    FloatVector c8 = FloatVector.broadcast(S, values[8]);
    FloatVector c9 = FloatVector.broadcast(S, values[9]);
    for (int turn = 0; turn < turns; turn++) {
      c0 = c0.fma(half, one);
      c1 = c1.fma(half, one);
      c2 = c2.fma(half, one);
      c3 = c3.fma(half, one);
      c4 = c4.fma(half, one);
      c5 = c5.fma(half, one);
      c6 = c6.fma(half, one);
      c7 = c7.fma(half, one);
      c8 = c8.fma(half, one);
      c9 = c9.fma(half, one);
    }
    c0.add(c1).add(c2).add(c3).add(c4).add(c5).add(c6).add(c7).add(c8).add(c9).intoArray(values, 0);
  }
}
