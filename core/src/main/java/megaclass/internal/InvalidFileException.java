// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/**
 * An input file cannot be used because of what it holds (or because it cannot be read at all). The
 * message is one sentence that starts with the file, and the line where there is one: {@code
 * FILE:LINE: what, got, allowed, what to do}.
 */
public final class InvalidFileException extends UncheckedIOException {
  private static final long serialVersionUID = 1L;

  /** A fault of the file as a whole. */
  public InvalidFileException(Path file, String problem) {
    this(file + ": " + problem, new IOException(problem));
  }

  /** A fault in one line of the file; lines count from 1. */
  public InvalidFileException(Path file, long line, String problem) {
    this(file + ":" + line + ": " + problem, new IOException(problem));
  }

  /** A file that the system refuses to read. */
  public InvalidFileException(Path file, IOException cause) {
    this(file + ": " + IoErrors.sentence(cause), cause);
  }

  private InvalidFileException(String message, IOException cause) {
    super(message, cause);
  }
}
