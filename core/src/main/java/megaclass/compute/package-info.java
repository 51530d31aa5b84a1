// SPDX-License-Identifier: Apache-2.0
/**
 * The kernels and the threads: the stages that a mini-batch needs, as plain definition and as fast
 * twin. Not for users: exported only to the other modules of Megaclass, which implement or measure
 * it.
 */
@NullMarked
package megaclass.compute;

import org.jspecify.annotations.NullMarked;
