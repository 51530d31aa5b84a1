// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import megaclass.internal.InvalidFileException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint that cannot be written is one sentence that names it and says what to do. */
class CheckpointErrorsTest {
  @TempDir Path folder;

  @Test
  void aFileInTheWayOfTheFolderEndsTheRunBeforeItsFirstStep() throws IOException {
    Path checkpoints = Files.createFile(folder.resolve("checkpoint"));
    for (boolean resume : new boolean[] {false, true}) {
      assertEquals(
          "cannot write checkpoints to %s: %s is a file where a folder is needed; move it away or name another"
              .formatted(checkpoints, checkpoints),
          failureOfRun(checkpoints, resume));
    }
    Path below = checkpoints.resolve("deeper");
    assertEquals(
        "cannot write checkpoints to %s: a part of the path is a file, not a folder; check the path"
            .formatted(below),
        failureOfRun(below, false));
  }

  @Test
  void aFolderThatIsReadOnlyEndsTheRunBeforeItsFirstStep() throws IOException {
    Path locked = lock(Files.createDirectory(folder.resolve("locked")));
    try {
      for (Path checkpoints : new Path[] {locked, locked.resolve("checkpoint")}) {
        assertEquals(
            "cannot write checkpoints to %s: access denied; check the permissions of the file and folder"
                .formatted(checkpoints),
            failureOfRun(checkpoints, false));
      }
    } finally {
      unlock(locked);
    }
  }

  @Test
  void aFolderThatBecomesReadOnlyIsNamedWithTheCheckpoint() throws IOException {
    var checkpoint = new Checkpoint(folder.resolve("checkpoint"));
    checkpoint.prepare();
    Path committed = save(checkpoint, 1);
    Path next = committed.resolveSibling("step-000000002");
    lock(folder.resolve("checkpoint"));
    try {
      assertEquals(
          "cannot write checkpoint %s: access denied; check the permissions of the file and folder"
              .formatted(next),
          failureOfSave(checkpoint, 2));
    } finally {
      unlock(folder.resolve("checkpoint"));
    }
    assertEquals(Optional.of(committed), checkpoint.newest());
  }

  @Test
  void whatAFailedCheckpointWroteIsRemovedAndTheOneBeforeItStays() throws IOException {
    var checkpoint = new Checkpoint(folder.resolve("checkpoint"));
    Path committed = save(checkpoint, 1);
    var matrices = new LinkedHashMap<String, RowMatrix>();
    matrices.put("weights", matrix());
    matrices.put("x".repeat(300), matrix()); // a longer name than a file can have
    try (var workers = new Workers(1)) {
      var e =
          assertThrows(
              UncheckedIOException.class,
              () -> checkpoint.save(2, Map.of(), contents(matrices), workers));
      assertEquals(
          "cannot write checkpoint %s: File name too long"
              .formatted(committed.resolveSibling("step-000000002")),
          e.getMessage());
    } finally {
      matrices.values().forEach(RowMatrix::close);
    }
    try (Stream<Path> left = Files.list(folder.resolve("checkpoint"))) {
      assertEquals(List.of(committed), left.toList());
    }
  }

  @Test
  void aSelectorThatRefusesItsStateIsNamedWithItsFile() {
    var checkpoint = new Checkpoint(folder.resolve("checkpoint"));
    try (var workers = new Workers(1);
        var matrix = matrix()) {
      var contents =
          new Checkpoint.Contents(
              Map.of("weights", matrix),
              selector(
                  () -> Map.of("count", MemorySegment.ofArray(new byte[1])),
                  sections -> {
                    long bytes = sections.apply("count").byteSize();
                    throw new IllegalArgumentException(
                        "count has %d bytes, expected 4".formatted(bytes));
                  }));
      Path committed = checkpoint.save(1, Map.of(), contents, workers);
      var e =
          assertThrows(
              InvalidFileException.class, () -> Checkpoint.load(committed, contents, workers));
      assertEquals(
          committed.resolve("selector.mck") + ": count has 1 bytes, expected 4", e.getMessage());
    }
  }

  @Test
  void aSelectorThatMissesItsStateIsNamedWithItsFile() {
    try (var workers = new Workers(1);
        var matrix = matrix()) {
      Path committed = save(new Checkpoint(folder.resolve("checkpoint")), 1);
      var contents =
          new Checkpoint.Contents(
              Map.of("weights", matrix),
              selector(Map::of, sections -> assertEquals(4, sections.apply("count").byteSize())));
      var e =
          assertThrows(
              InvalidFileException.class, () -> Checkpoint.load(committed, contents, workers));
      assertEquals(
          committed.resolve("selector.mck") + ": is missing; take an older checkpoint",
          e.getMessage());
    }
  }

  @Test
  void aFileThatIsNamedLikeACheckpointIsNone() throws IOException {
    var checkpoint = new Checkpoint(folder.resolve("checkpoint"));
    Path committed = save(checkpoint, 1);
    Path file = Files.createFile(committed.resolveSibling("step-000000002"));
    assertEquals(Optional.of(committed), checkpoint.newest());
    assertTrue(Files.exists(file));
  }

  private static Path save(Checkpoint checkpoint, long step) {
    try (var workers = new Workers(1);
        var matrix = matrix()) {
      return checkpoint.save(step, Map.of(), contents(Map.of("weights", matrix)), workers);
    }
  }

  /** Of a head that has nothing else to save. */
  private static Checkpoint.Contents contents(Map<String, RowMatrix> matrices) {
    return new Checkpoint.Contents(matrices, selector(Map::of, _ -> {}));
  }

  private static Map<String, Checkpoint.Part> selector(
      Supplier<Map<String, MemorySegment>> state,
      Consumer<Function<String, MemorySegment>> restore) {
    return Map.of("selector", new Checkpoint.Part(state, restore));
  }

  private static RowMatrix matrix() {
    return new RowMatrix(3, 2, RowMatrix.State.NONE);
  }

  private static @Nullable String failureOfSave(Checkpoint checkpoint, long step) {
    return assertThrows(UncheckedIOException.class, () -> save(checkpoint, step)).getMessage();
  }

  private static @Nullable String failureOfRun(Path checkpoints, boolean resume) {
    try (var data = KilledRun.texts()) {
      var trainer =
          new Trainer(KilledRun.config())
              .withCheckpoints(checkpoints, Duration.ofDays(1), resume)
              .stopWhen(
                  () -> {
                    throw new IllegalStateException("a step was trained");
                  });
      return assertThrows(UncheckedIOException.class, () -> trainer.fit(data, _ -> {}))
          .getMessage();
    }
  }

  private static Path lock(Path folder) throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("r-xr-xr-x"));
    if (Files.isWritable(folder)) {
      unlock(folder);
    }
    assumeFalse(Files.isWritable(folder), "root may write everywhere: permissions cannot be tried");
    return folder;
  }

  private static void unlock(Path folder) throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
