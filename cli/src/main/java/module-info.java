// SPDX-License-Identifier: Apache-2.0

/** The {@code megaclass} command. */
module megaclass.cli {
  requires com.fasterxml.jackson.databind;
  requires info.picocli;
  requires jdk.management;
  requires jdk.unsupported;
  requires megaclass.core;
  requires megaclass.formats;
  requires org.carrot2.morfologik.stemming;
  requires static transitive org.jspecify;
  requires org.tomlj;

  uses megaclass.openset.EmbeddingFormat;
}
