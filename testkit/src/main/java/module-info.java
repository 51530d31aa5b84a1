// SPDX-License-Identifier: Apache-2.0

/** Tools to test Megaclass and what extends it. */
module megaclass.testkit {
  requires transitive megaclass.core;
  requires static transitive org.jspecify;
}
