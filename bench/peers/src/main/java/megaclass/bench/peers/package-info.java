// SPDX-License-Identifier: Apache-2.0
/**
 * Measures steps of a last layer in other programs, for comparison. {@code bench/peers/run} builds
 * it; it is on no build path of Megaclass.
 */
@NullMarked
package megaclass.bench.peers;

import org.jspecify.annotations.NullMarked;
