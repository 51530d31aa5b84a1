// SPDX-License-Identifier: Apache-2.0

/** Measures Megaclass; never published. */
module megaclass.bench {
  requires com.fasterxml.jackson.databind;
  requires info.picocli;
  requires jdk.incubator.vector;
  requires jdk.management;
  requires megaclass.core;
  requires org.mozilla.rhino;
  requires static transitive org.jspecify;

  opens megaclass.bench to
      com.fasterxml.jackson.databind,
      info.picocli;
}
