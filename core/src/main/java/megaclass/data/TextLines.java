// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import megaclass.internal.InvalidFileException;

/**
 * The lines of a UTF-8 file, plain or (named {@code .gz}) compressed with gzip: without a byte
 * order mark at the start, without line feeds and a carriage return before them. Every line is
 * valid UTF-8; another file ends with an {@link InvalidFileException} that names the line.
 */
final class TextLines implements AutoCloseable {
  private static final int FIRST_BUFFER_BYTES = 1 << 18;

  /** A line that is longer is not text; the limit only keeps such files from filling memory. */
  static final int MAX_LINE_BYTES = 1 << 28;

  private final Path file;
  private final InputStream in;
  private byte[] buffer = new byte[FIRST_BUFFER_BYTES];
  private int end;
  private boolean ended;
  private int nextLine;

  /** The current line is {@code bytes()[from, to)}. */
  private int from;

  private int to;
  private long number;

  TextLines(Path file) {
    this.file = file;
    try {
      this.in = open(file);
      fill();
    } catch (IOException e) {
      throw new InvalidFileException(file, e);
    }
    if (end >= 3
        && buffer[0] == (byte) 0xEF
        && buffer[1] == (byte) 0xBB
        && buffer[2] == (byte) 0xBF) {
      nextLine = 3;
    }
  }

  private static InputStream open(Path file) throws IOException {
    var in = Files.newInputStream(file);
    if (!file.toString().endsWith(".gz")) {
      return in;
    }
    try {
      return new GZIPInputStream(in, 1 << 16);
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  /** Moves to the next line; false at the end of the file. */
  boolean next() {
    int at = nextLine;
    while (true) {
      while (at < end && buffer[at] != '\n') {
        at++;
      }
      if (at < end || ended) {
        break;
      }
      at -= nextLine; // filling moves the line to the start of the buffer
      more();
    }
    if (at == nextLine && at == end) {
      return false;
    }
    number++;
    from = nextLine;
    to = at > from && buffer[at - 1] == '\r' ? at - 1 : at;
    nextLine = Math.min(end, at + 1);
    requireUtf8();
    return true;
  }

  /** The array that holds the current line; good until the next call of {@link #next}. */
  byte[] bytes() {
    return buffer;
  }

  /** Where the current line starts in {@link #bytes}. */
  int from() {
    return from;
  }

  /** Where the current line ends in {@link #bytes}, exclusive. */
  int to() {
    return to;
  }

  boolean isEmpty() {
    return from == to;
  }

  /** The number of the current line, from 1. */
  long number() {
    return number;
  }

  byte[] copy(int start, int stop) {
    return Arrays.copyOfRange(buffer, start, stop);
  }

  /** A fault of the current line. */
  InvalidFileException fault(String problem) {
    return new InvalidFileException(file, number, problem);
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      throw new InvalidFileException(file, e);
    }
  }

  private void more() {
    System.arraycopy(buffer, nextLine, buffer, 0, end - nextLine);
    end -= nextLine;
    nextLine = 0;
    if (end == buffer.length) {
      if (end >= MAX_LINE_BYTES) {
        throw new InvalidFileException(
            file, number + 1, "the line is longer than " + MAX_LINE_BYTES + " bytes");
      }
      buffer = Arrays.copyOf(buffer, 2 * end);
    }
    try {
      fill();
    } catch (IOException e) {
      throw new InvalidFileException(file, e);
    }
  }

  private void fill() throws IOException {
    int n = in.readNBytes(buffer, end, buffer.length - end);
    end += n;
    ended = end < buffer.length;
  }

  private void requireUtf8() {
    int at = Utf8.firstInvalid(buffer, from, to);
    if (at >= 0) {
      throw fault(
          "byte %d of the line, 0x%02x, is not valid UTF-8; save the file as UTF-8"
              .formatted(at - from + 1, buffer[at]));
    }
  }
}
