// SPDX-License-Identifier: Apache-2.0

/** Readers of data that need a library: images, and the files of InsightFace. */
module megaclass.formats {
  requires java.desktop;
  requires transitive megaclass.core;
  requires static transitive org.jspecify;
  requires pickle;

  exports megaclass.formats;
}
