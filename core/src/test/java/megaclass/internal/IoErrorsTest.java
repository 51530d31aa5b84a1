// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the system says in a word or a path is said in words that help. */
class IoErrorsTest {
  @TempDir Path folder;

  @Test
  void eachErrorSaysWhatIsWrongAndWhatToDo() {
    assertSentence(
        "no space left on the disk; free some, or write to another disk",
        new FileSystemException("a", null, "No space left on device"));
    assertSentence(
        "access denied; check the permissions of the file and folder",
        new AccessDeniedException("a"));
    assertSentence(
        "the file system is read-only; write to another one",
        new FileSystemException("a", null, "Read-only file system"));
    assertSentence(
        "a is a file where a folder is needed; move it away or name another",
        new FileAlreadyExistsException("a"));
    assertSentence(
        "is a folder with files in it; move it away", new DirectoryNotEmptyException("a"));
    assertSentence(
        "Too many open files", new FileSystemException("a", null, "Too many open files"));
    assertSentence("the line is cut", new IOException("the line is cut"));
  }

  /** What the system throws depends on how far down the path the file stands. */
  @Test
  void aFileWhereAFolderIsNeededIsRecognised() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    assertSentence(
        file + " is a file where a folder is needed; move it away or name another",
        assertThrows(IOException.class, () -> Files.createDirectories(file)));
    assertSentence(
        "a part of the path is a file, not a folder; check the path",
        assertThrows(IOException.class, () -> Files.createDirectories(file.resolve("a"))));
    assertSentence(
        "a part of the path is a file, not a folder; check the path",
        assertThrows(IOException.class, () -> Files.readString(file.resolve("a"))));
    assertSentence(
        "is not a folder", assertThrows(IOException.class, () -> Files.list(file).close()));
  }

  private static void assertSentence(String expected, IOException e) {
    assertEquals(expected, IoErrors.sentence(e));
  }
}
