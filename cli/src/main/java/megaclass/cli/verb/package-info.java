// SPDX-License-Identifier: Apache-2.0
/**
 * The verbs of the command line, one class each. They read arguments, call the library and say what
 * came of it.
 */
@NullMarked
package megaclass.cli.verb;

import org.jspecify.annotations.NullMarked;
