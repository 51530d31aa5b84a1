// SPDX-License-Identifier: Apache-2.0
/**
 * The {@code megaclass} command: verbs, configuration, progress and reports. It speaks to people;
 * what it does is done by {@code megaclass.core}.
 */
@NullMarked
package megaclass.cli;

import org.jspecify.annotations.NullMarked;
