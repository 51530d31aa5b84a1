// SPDX-License-Identifier: Apache-2.0
/**
 * Defines the losses over chosen classes: logits from cosines, margins, softmax, and their exact
 * gradients. {@code LossDefinition} is the mathematics in plain loops, and every fast kernel is
 * held against it.
 */
@NullMarked
package megaclass.loss;

import org.jspecify.annotations.NullMarked;
