// SPDX-License-Identifier: Apache-2.0
/**
 * Finds the classes whose weights score best with an embedding without looking at all of them. An
 * index follows the weights while they are trained.
 */
@NullMarked
package megaclass.index;

import org.jspecify.annotations.NullMarked;
