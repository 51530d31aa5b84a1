// SPDX-License-Identifier: Apache-2.0
/**
 * Measures whole training runs and single kernels. Each measurement runs in a fresh JVM; results go
 * to a file with the machine, the command and the commit they were made with.
 */
@NullMarked
package megaclass.bench;

import org.jspecify.annotations.NullMarked;
