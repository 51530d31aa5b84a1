// SPDX-License-Identifier: Apache-2.0

/** Measures Megaclass; never published. */
module megaclass.bench {
  requires jmh.core;
  requires megaclass.core;
  requires static transitive org.jspecify;
}
