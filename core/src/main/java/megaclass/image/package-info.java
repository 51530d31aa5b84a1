// SPDX-License-Identifier: Apache-2.0
/**
 * Images of a data set become the input of a network: augmented, scaled and made ahead of need.
 * What an example looks like in a step depends on seed, step and example alone.
 */
@NullMarked
package megaclass.image;

import org.jspecify.annotations.NullMarked;
