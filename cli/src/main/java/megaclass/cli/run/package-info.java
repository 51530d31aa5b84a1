// SPDX-License-Identifier: Apache-2.0
/**
 * A training run as the user sees it: its folder, its memory, its messages and how it is stopped.
 * What is learned is up to {@code megaclass.train}.
 */
@NullMarked
package megaclass.cli.run;

import org.jspecify.annotations.NullMarked;
