// SPDX-License-Identifier: Apache-2.0
/**
 * The last layer while it is trained: choice of classes, loss, gradients and moves of the class
 * weights as one unit, which computes on the host or on a device. Engines for devices are found by
 * {@link java.util.ServiceLoader}.
 */
@NullMarked
package megaclass.head;

import org.jspecify.annotations.NullMarked;
