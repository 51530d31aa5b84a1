// SPDX-License-Identifier: Apache-2.0
/**
 * Measures kernels and whole training runs and writes the result to files. It is never published,
 * and no other module uses it.
 */
@NullMarked
package megaclass.bench;

import org.jspecify.annotations.NullMarked;
