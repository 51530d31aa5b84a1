// SPDX-License-Identifier: Apache-2.0
/**
 * The settings of a run. One table of them is the source of the configuration file, the flags, the
 * help and {@code docs/configuration.md}.
 */
@NullMarked
package megaclass.cli.settings;

import org.jspecify.annotations.NullMarked;
