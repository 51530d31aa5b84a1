// SPDX-License-Identifier: Apache-2.0
/**
 * Tools to test Megaclass and what extends it: gradient checks, golden files and contract tests.
 * Tests of other modules use it; {@code megaclass.core} does not.
 */
@NullMarked
package megaclass.testkit;

import org.jspecify.annotations.NullMarked;
