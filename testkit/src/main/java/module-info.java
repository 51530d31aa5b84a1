// SPDX-License-Identifier: Apache-2.0

/** Tools to test Megaclass and what extends it. */
module megaclass.testkit {
  requires com.fasterxml.jackson.databind;
  requires transitive megaclass.core;
  requires static transitive org.jspecify;
  requires transitive org.junit.jupiter.api;
  requires transitive org.junit.jupiter.params;

  exports megaclass.testkit;

  // JUnit runs the tests of a contract, which nobody else calls.
  opens megaclass.testkit to
      org.junit.platform.commons;
}
