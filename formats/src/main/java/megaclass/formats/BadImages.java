// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

/** What to do about an image that cannot be used. */
public enum BadImages {
  /** Leave it out, count it, and name the first few. */
  SKIP,
  /** Stop with a sentence that names it. */
  REFUSE
}
