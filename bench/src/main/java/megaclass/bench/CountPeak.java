// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The most that a core can do of what scans of sign codes do to a word, on registers alone. */
final class CountPeak {
  private static final VectorSpecies<Long> S = LongVector.SPECIES_PREFERRED;
  private static final int CHAINS = 6;

  private CountPeak() {}

  /** Words of 64 bits of a {@link #run}. */
  static double words(int turns) {
    return (double) CHAINS * S.length() * turns;
  }

  /**
   * Runs.
   *
   * @param values (8) where the chains begin, and where their sum goes
   */
  static void run(int turns, long[] values) {
    LongVector query = LongVector.broadcast(S, values[7]);
    LongVector c0 = LongVector.broadcast(S, values[0]);
    LongVector c1 = LongVector.broadcast(S, values[1]);
    LongVector c2 = LongVector.broadcast(S, values[2]);
    LongVector c3 = LongVector.broadcast(S, values[3]);
    LongVector c4 = LongVector.broadcast(S, values[4]);
    LongVector c5 = LongVector.broadcast(S, values[5]);
    for (int turn = 0; turn < turns; turn++) {
      c0 = c0.add(c0.lanewise(VectorOperators.XOR, query).lanewise(VectorOperators.BIT_COUNT));
      c1 = c1.add(c1.lanewise(VectorOperators.XOR, query).lanewise(VectorOperators.BIT_COUNT));
      c2 = c2.add(c2.lanewise(VectorOperators.XOR, query).lanewise(VectorOperators.BIT_COUNT));
      c3 = c3.add(c3.lanewise(VectorOperators.XOR, query).lanewise(VectorOperators.BIT_COUNT));
      c4 = c4.add(c4.lanewise(VectorOperators.XOR, query).lanewise(VectorOperators.BIT_COUNT));
      c5 = c5.add(c5.lanewise(VectorOperators.XOR, query).lanewise(VectorOperators.BIT_COUNT));
    }
    values[0] = c0.add(c1).add(c2).add(c3).add(c4).add(c5).lane(0);
  }
}
