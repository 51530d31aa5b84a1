// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.zip.ZipException;

/** Puts the errors of the file system in words: many carry nothing but a path as their message. */
final class IoErrors {
  private IoErrors() {}

  /** What went wrong, without the file it went wrong with. */
  static String sentence(IOException e) {
    if (isDiskFull(e)) {
      return "no space left on the disk; free some, or write to another disk";
    }
    return switch (e) {
      case NoSuchFileException _ -> "no such file or folder";
      case AccessDeniedException _ -> "access denied; check the permissions of the file and folder";
      case FileAlreadyExistsException _ -> "exists already and is not a folder";
      case NotDirectoryException _ -> "is not a folder";
      case ZipException z when String.valueOf(z.getMessage()).contains("GZIP") ->
          "is named .gz but not compressed with gzip";
      case ZipException _, EOFException _ ->
          "the compressed file ends too early or is damaged; get it anew";
      case FileSystemException f when f.getReason() != null -> f.getReason();
      default -> String.valueOf(e.getMessage());
    };
  }

  private static boolean isDiskFull(IOException e) {
    var message = String.valueOf(e.getMessage());
    return message.contains("No space left")
        || message.contains("not enough space")
        || message.contains("Disk quota exceeded");
  }
}
