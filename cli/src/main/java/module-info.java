// SPDX-License-Identifier: Apache-2.0

/** The {@code megaclass} command. */
module megaclass.cli {
  requires info.picocli;
  requires megaclass.core;
  requires static transitive org.jspecify;

  // picocli reads the annotations of the verbs.
  opens megaclass.cli to
      info.picocli;
}
