// SPDX-License-Identifier: Apache-2.0
/**
 * Measures embeddings by themselves, on classes that a model need not know: verification,
 * identification, templates, few-shot and retrieval. Scores of all pairs are streamed, never held.
 */
@NullMarked
package megaclass.openset;

import org.jspecify.annotations.NullMarked;
