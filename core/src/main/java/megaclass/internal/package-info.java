// SPDX-License-Identifier: Apache-2.0
/**
 * What every package leans on: checks, checksums, stable hashes, atomic files and the section
 * container of all Megaclass files. Not for users: exported only to the other modules of Megaclass.
 */
@NullMarked
package megaclass.internal;

import org.jspecify.annotations.NullMarked;
