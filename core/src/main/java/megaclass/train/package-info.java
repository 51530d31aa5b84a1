// SPDX-License-Identifier: Apache-2.0
/**
 * Trains: settings, the readable step, events and checkpoints. {@code TrainLoop.step} shows a whole
 * mini-batch and is the place to start reading.
 */
@NullMarked
package megaclass.train;

import org.jspecify.annotations.NullMarked;
