// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;

/** Whole reads and writes: a channel may transfer less than it is asked to. */
public final class FileBytes {
  private FileBytes() {}

  /** The bytes [at, at + length) of a file, fewer if the file ends before. */
  public static byte[] read(FileChannel channel, long at, int length) throws IOException {
    var buffer = ByteBuffer.allocate(length);
    int read = 0;
    while (read < length) {
      int n = channel.read(buffer, at + read);
      if (n < 0) {
        break;
      }
      read += n;
    }
    return Arrays.copyOf(buffer.array(), read);
  }

  /** Writes all bytes of the buffer at the channel's position. */
  public static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
