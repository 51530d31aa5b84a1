// SPDX-License-Identifier: Apache-2.0
/**
 * Turns examples on disk into a {@code Dataset} and deals them as {@code MiniBatch}es in a seeded
 * order. Class ids and labels are translated here, and nowhere else.
 */
@NullMarked
package megaclass.data;

import org.jspecify.annotations.NullMarked;
