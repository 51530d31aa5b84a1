// SPDX-License-Identifier: Apache-2.0

/** Tools to test Megaclass and what extends it. */
module megaclass.testkit {
  requires com.fasterxml.jackson.databind;
  requires transitive megaclass.core;
  requires static transitive org.jspecify;

  exports megaclass.testkit;
}
