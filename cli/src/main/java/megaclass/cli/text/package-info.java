// SPDX-License-Identifier: Apache-2.0
/**
 * Numbers, byte counts and durations as people read and write them. One spelling for the console,
 * the report and the settings.
 */
@NullMarked
package megaclass.cli.text;

import org.jspecify.annotations.NullMarked;
