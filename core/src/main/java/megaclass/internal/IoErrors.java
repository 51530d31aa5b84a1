// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.zip.ZipException;

/** Puts the errors of the file system in words: many carry nothing but a path as their message. */
public final class IoErrors {
  private IoErrors() {}

  /** What went wrong and what to do, without the file that was to be read or written. */
  public static String sentence(IOException e) {
    if (isDiskFull(e)) {
      return "no space left on the disk; free some, or write to another disk";
    }
    return switch (e) {
      case NoSuchFileException _ -> "no such file or folder";
      case AccessDeniedException _ -> "access denied; check the permissions of the file and folder";
      case FileAlreadyExistsException inTheWay ->
          inTheWay.getFile() + " is a file where a folder is needed; move it away or name another";
      case NotDirectoryException _ -> "is not a folder";
      case DirectoryNotEmptyException _ -> "is a folder with files in it; move it away";
      case ZipException z when String.valueOf(z.getMessage()).contains("GZIP") ->
          "is named .gz but not compressed with gzip";
      case ZipException _, EOFException _ ->
          "the compressed file ends too early or is damaged; get it anew";
      case FileSystemException f when has(f, "Not a directory") ->
          "a part of the path is a file, not a folder; check the path";
      case FileSystemException f when has(f, "Read-only file system") ->
          "the file system is read-only; write to another one";
      case FileSystemException f when f.getReason() != null -> f.getReason();
      default -> String.valueOf(e.getMessage());
    };
  }

  private static boolean has(FileSystemException e, String reason) {
    return reason.equals(e.getReason());
  }

  private static boolean isDiskFull(IOException e) {
    var message = String.valueOf(e.getMessage());
    return message.contains("No space left")
        || message.contains("not enough space")
        || message.contains("Disk quota exceeded");
  }
}
