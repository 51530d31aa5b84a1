// SPDX-License-Identifier: Apache-2.0
/**
 * Chooses which classes a mini-batch sees and with which log weight each of them counts. The
 * targets are always among the chosen.
 */
@NullMarked
package megaclass.select;

import org.jspecify.annotations.NullMarked;
