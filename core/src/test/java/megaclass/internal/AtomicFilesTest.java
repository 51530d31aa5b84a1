// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
  @TempDir Path folder;

  @Test
  void theFileHasItsNameOnlyWhenAllIsWritten() throws IOException {
    var target = folder.resolve("a.txt");
    AtomicFiles.write(
        target,
        channel -> {
          FileBytes.write(channel, ByteBuffer.wrap(new byte[] {1, 2, 3}));
          assertFalse(Files.exists(target));
          assertEquals(1, names().size(), "the part file");
        });
    assertEquals(List.of("a.txt"), names());
    assertEquals(3, Files.size(target));
  }

  @Test
  void anOldFileIsReplaced() throws IOException {
    var target = folder.resolve("a.txt");
    AtomicFiles.writeString(target, "a long old text");
    AtomicFiles.writeString(target, "žlutý kůň");
    assertEquals("žlutý kůň", Files.readString(target));
    assertEquals(List.of("a.txt"), names());
  }

  @Test
  void aFailureKeepsTheOldFileAndLeavesNothingElse() throws IOException {
    var target = folder.resolve("a.txt");
    AtomicFiles.writeString(target, "old");
    var e =
        assertThrows(
            UncheckedIOException.class,
            () ->
                AtomicFiles.write(
                    target,
                    channel -> {
                      FileBytes.write(channel, ByteBuffer.wrap(new byte[100]));
                      throw new IOException("the line is cut");
                    }));
    assertEquals("cannot write " + target + ": the line is cut", e.getMessage());
    assertEquals(List.of("a.txt"), names());
    assertEquals("old", Files.readString(target));
  }

  @Test
  void aRuntimeExceptionOfTheWriterLeavesNothingEither() throws IOException {
    assertThrows(
        IllegalStateException.class,
        () ->
            AtomicFiles.write(
                folder.resolve("a.txt"),
                _ -> {
                  throw new IllegalStateException();
                }));
    assertEquals(List.of(), names());
  }

  @Test
  void aFullDiskIsOneSentence() {
    var target = folder.resolve("a.txt");
    for (var reason : List.of("No space left on device", "Disk quota exceeded")) {
      var e =
          assertThrows(
              UncheckedIOException.class,
              () ->
                  AtomicFiles.write(
                      target,
                      _ -> {
                        throw new IOException(reason);
                      }));
      assertEquals(
          "cannot write "
              + target
              + ": no space left on the disk; free some, or write to another disk",
          e.getMessage());
    }
  }

  @Test
  void missingFoldersAreMade() throws IOException {
    AtomicFiles.writeString(folder.resolve("x/y/a.txt"), "text");
    assertEquals("text", Files.readString(folder.resolve("x/y/a.txt")));
  }

  @Test
  void whatStandsInTheWayIsNamed() throws IOException {
    AtomicFiles.writeString(folder.resolve("file"), "text");
    Files.createDirectory(folder.resolve("folder"));
    assertEquals(
        "cannot write %s: %s is a file where a folder is needed; move it away or name another"
            .formatted(folder.resolve("file/a"), folder.resolve("file")),
        writeError(folder.resolve("file/a")));
    assertEquals(
        "cannot write " + folder.resolve("folder") + ": is a folder; name a file in it",
        writeError(folder.resolve("folder")));
    var e =
        assertThrows(
            IllegalArgumentException.class, () -> AtomicFiles.writeString(Path.of("/"), ""));
    assertEquals("/ is a folder; name a file in it", e.getMessage());
  }

  @Test
  void oneTargetIsNotWrittenTwiceAtOnce() {
    var target = folder.resolve("a.txt");
    AtomicFiles.write(
        target,
        _ -> {
          var e =
              assertThrows(
                  IllegalStateException.class, () -> AtomicFiles.writeString(target, "inner"));
          assertEquals(target + " is being written already", e.getMessage());
        });
    assertTrue(Files.exists(target));
  }

  @Test
  void leftoversOfKilledProcessesAreRemovedAndNothingElse() throws IOException {
    var target = folder.resolve("a.txt");
    for (var name : List.of("a.txt.17.part", "a.txt.x.part", "b.txt.17.part", "a.txt.17.part.gz")) {
      Files.writeString(folder.resolve(name), "half");
    }
    AtomicFiles.write(
        target,
        _ -> {
          AtomicFiles.deleteLeftovers(target);
          assertEquals(4, names().size(), "three others and the one being written");
        });
    assertEquals(List.of("a.txt", "a.txt.17.part.gz", "a.txt.x.part", "b.txt.17.part"), names());
  }

  private @Nullable String writeError(Path target) {
    return assertThrows(UncheckedIOException.class, () -> AtomicFiles.writeString(target, ""))
        .getMessage();
  }

  private List<String> names() throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }
}
