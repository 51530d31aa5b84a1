// SPDX-License-Identifier: Apache-2.0
/**
 * Measures a classifier: exact top-k and loss over all classes, streamed, by frequency decile; or
 * top-k through an index. Logits of all classes are never held at once.
 */
@NullMarked
package megaclass.eval;

import org.jspecify.annotations.NullMarked;
