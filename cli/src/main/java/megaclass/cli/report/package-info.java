// SPDX-License-Identifier: Apache-2.0
/**
 * The report of a run: one HTML file that needs nothing else, made from the metrics alone. Each
 * plot answers the question in its title.
 */
@NullMarked
package megaclass.cli.report;

import org.jspecify.annotations.NullMarked;
