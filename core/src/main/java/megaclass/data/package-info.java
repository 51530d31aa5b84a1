// SPDX-License-Identifier: Apache-2.0
/**
 * Examples on disk become a {@link megaclass.data.Dataset}, and a data set becomes mini-batches.
 * Readers, the conversion to memory-mapped {@code .mcd} files and the planted-class generator live
 * here too.
 */
@NullMarked
package megaclass.data;

import org.jspecify.annotations.NullMarked;
