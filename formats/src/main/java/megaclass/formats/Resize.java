// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

/** How an image comes to a shape of other proportions; it is never stretched. */
public enum Resize {
  /** The image fills the shape, and what stands out on two sides is cut off. */
  CROP,
  /** All of the image is in the shape, and its border is repeated on two sides. */
  PAD
}
