// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;

/** What the JDK does not do with folders. */
public final class Folders {
  private Folders() {}

  /**
   * The folder that a file is in, or is to be in.
   *
   * @throws IllegalArgumentException if the path is the root of a file system
   */
  public static Path of(Path file) {
    var parent = file.toAbsolutePath().normalize().getParent();
    if (parent == null) {
      throw new IllegalArgumentException(file + " is a folder; name a file in it");
    }
    return parent;
  }

  /** Deletes a file, or a folder with all in it, if it is there. */
  public static void delete(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    try (var entries = Files.walk(path)) {
      for (Path entry : entries.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(entry);
      }
    }
  }

  /**
   * Brings the names in a folder to the disk, so that a rename survives a power cut; where folders
   * can be opened (not on Windows).
   */
  public static void force(Path folder) throws IOException {
    if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      try (var channel = FileChannel.open(folder, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }
}
