// SPDX-License-Identifier: Apache-2.0
/**
 * Embeddings become a table of Parquet: a row an example, with its name, its label and a list of
 * floats. The library that writes it stays inside this module, cut down to what that takes.
 */
@NullMarked
package megaclass.parquet;

import org.jspecify.annotations.NullMarked;
