// SPDX-License-Identifier: Apache-2.0
/**
 * Updates rows from sparse gradients and sets the learning rate of each step. A row that was not
 * touched catches up later, to exactly what dense updates would have made of it.
 */
@NullMarked
package megaclass.optim;

import org.jspecify.annotations.NullMarked;
