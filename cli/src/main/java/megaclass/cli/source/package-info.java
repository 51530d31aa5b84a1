// SPDX-License-Identifier: Apache-2.0
/**
 * Obtains the examples of a run: finds or fetches the files of a source, and converts them once to
 * {@code .mcd}. What can be read without another library is read by {@code megaclass.data}.
 */
@NullMarked
package megaclass.cli.source;

import org.jspecify.annotations.NullMarked;
