// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import org.jspecify.annotations.Nullable;

/** The bytes are no image that can be used; the message is what the image "is", without a name. */
public final class BadImageException extends Exception {
  private static final long serialVersionUID = 1L;

  /** With the end of a sentence that starts with the image: "is empty". */
  public BadImageException(String fault) {
    this(fault, null);
  }

  /** With what a library said. */
  public BadImageException(String fault, @Nullable Throwable cause) {
    super(fault, cause);
  }
}
