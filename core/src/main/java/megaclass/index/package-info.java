// SPDX-License-Identifier: Apache-2.0
/**
 * Finds the class weights near an embedding without looking at all of them. An index is built over
 * the rows of W at one moment and keeps no row of it, so that W may move on while it is asked.
 */
@NullMarked
package megaclass.index;

import org.jspecify.annotations.NullMarked;
