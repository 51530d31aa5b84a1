// SPDX-License-Identifier: Apache-2.0
/**
 * Holds the class weights W: off-heap rows, one a class, in class shards, with the optimizer state
 * of each row. Offsets are 64-bit everywhere, since classes times dimensions exceed 2^31.
 */
@NullMarked
package megaclass.weights;

import org.jspecify.annotations.NullMarked;
