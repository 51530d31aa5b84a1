// SPDX-License-Identifier: Apache-2.0
/**
 * The trained {@code Classifier} and the one file that holds it, with its provenance. A loaded
 * model is mapped read-only and answers from many threads.
 */
@NullMarked
package megaclass.model;

import org.jspecify.annotations.NullMarked;
