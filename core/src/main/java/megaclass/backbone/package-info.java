// SPDX-License-Identifier: Apache-2.0
/**
 * Turns features or text into embeddings, forward and backward. A backbone owns its parameters and
 * what its optimizer remembers about them.
 */
@NullMarked
package megaclass.backbone;

import org.jspecify.annotations.NullMarked;
