// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

/** What the features of an example are. */
public enum FeatureKind {
  /** A row of float32 numbers, as many in each example. */
  DENSE,
  /** UTF-8 text of any length. */
  TEXT
}
