// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import megaclass.internal.Check;
import megaclass.internal.Hash;

/**
 * Which examples are held out: a function of the seed and the example's own bytes, so that it
 * depends neither on the order of the examples nor on what else is in the set, and equal examples
 * stay together. Only examples whose classes all have enough examples qualify.
 *
 * @param testShare share of the qualifying examples that is held out, in [0, 1)
 * @param minExamplesPerClass how many examples each of an example's classes must have
 */
record SplitRule(double testShare, int minExamplesPerClass, long seed) {
  SplitRule {
    Check.inRightOpenRange("testShare", testShare, 0, 1);
    Check.positive("minExamplesPerClass", minExamplesPerClass);
  }

  /** Whether an example with this hash of its bytes is held out if it qualifies. */
  boolean drawn(long hash) {
    return Hash.unit(Hash.key(seed, hash)) < testShare;
  }

  @Override
  public String toString() {
    return "split(testShare=%s, minExamplesPerClass=%d, seed=%d)"
        .formatted(testShare, minExamplesPerClass, seed);
  }
}
