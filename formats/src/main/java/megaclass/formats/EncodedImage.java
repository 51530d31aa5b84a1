// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import java.io.IOException;

/**
 * One image of a catalogue, not decoded yet.
 *
 * @param name of the example, such as its path; distinct in the catalogue
 * @param label of its class
 * @param content its bytes
 */
public record EncodedImage(String name, String label, Content content) {
  /**
   * Where the bytes are; may be read by any thread, while the catalogue goes through its images.
   */
  @FunctionalInterface
  public interface Content {
    /** Reads the bytes of the image file. */
    byte[] read() throws IOException;
  }
}
