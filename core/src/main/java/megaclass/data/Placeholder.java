// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

/** Lets module-info export this package while it is empty; to be deleted with its first class. */
final class Placeholder {
  private Placeholder() {}
}
