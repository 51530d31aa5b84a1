// SPDX-License-Identifier: Apache-2.0
/**
 * Finds the classes whose weights score best with an embedding without looking at all of them. What
 * an index holds is derived from the class weights and can be made from them again.
 */
@NullMarked
package megaclass.index;

import org.jspecify.annotations.NullMarked;
