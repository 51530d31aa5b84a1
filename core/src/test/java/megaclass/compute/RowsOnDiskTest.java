// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;
import megaclass.TestBackend;
import megaclass.internal.InvalidFileException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows in a file beside the same rows in memory. */
class RowsOnDiskTest {
  private static final RowMatrix.State STATE = new RowMatrix.State(true, true, true);
  private static final int NUM_ROWS = 1000;
  private static final int WIDTH = 17;

  @TempDir Path folder;

  private final ComputeBackend backend = ComputeBackend.named(TestBackend.NAME);
  private final SplittableRandom random = new SplittableRandom(1);
  private Workers workers = new Workers(1);
  private Arena arena = Arena.ofShared();
  private MemorySegment scratch = MemorySegment.NULL;

  @BeforeEach
  void open() {
    workers = new Workers(3);
    arena = Arena.ofShared();
    scratch = NativeMemory.allocate(4L * 32 * 2, arena);
  }

  @AfterEach
  void close() {
    workers.close();
    arena.close();
  }

  private Path path() {
    return folder.resolve("weights.rows");
  }

  /** A cache of so many rows. */
  private RowMatrix onDisk(RowFormat format, int rowsInMemory) {
    long rowBytes = 2 * format.bytes(32);
    return RowMatrix.onDisk(path(), NUM_ROWS, WIDTH, STATE, format, rowsInMemory * rowBytes);
  }

  private static byte[] rows(RowMatrix matrix) {
    return matrix.shards().getFirst().rows().toArray(ValueLayout.JAVA_BYTE);
  }

  private int[] someRows(int count) {
    return random.ints(0, NUM_ROWS).distinct().limit(count).toArray();
  }

  /** What an optimizer does to some rows. */
  private void change(RowMatrix matrix, int[] ids, int step) {
    matrix.fetch(ids.length, i -> ids[i], workers);
    for (int row : ids) {
      long w = matrix.change(row, scratch.address(), backend);
      long v = matrix.changeVelocity(row, scratch.address() + 4L * 32, backend);
      backend.addScaled(w, 0.01f * step, matrix.stride(), v);
      backend.addScaled(v, 0.1f, matrix.stride(), w);
      matrix.write(row, w, row + step, backend);
      matrix.writeVelocity(row, v, row - step, backend);
      matrix.setLastStep(row, step);
    }
  }

  private void assertSame(RowMatrix expected, RowMatrix actual, int row) {
    for (int j = 0; j < WIDTH; j++) {
      assertEquals(expected.get(row, j), actual.get(row, j), row + ", " + j);
    }
    assertEquals(expected.lastStep(row), actual.lastStep(row));
  }

  @ParameterizedTest
  @EnumSource(RowFormat.class)
  void rowsOfASmallCacheAreThoseOfMemory(RowFormat format) {
    for (int rowsInMemory : new int[] {40, 41, 130, 999, 5000}) {
      try (var plain = new RowMatrix(NUM_ROWS, WIDTH, STATE, format);
          var disk = onDisk(format, rowsInMemory)) {
        plain.randomise(1, WIDTH, 3, workers);
        disk.randomise(1, WIDTH, 3, workers);
        assertTrue(disk.isOnDisk());
        assertEquals(Math.min(rowsInMemory, NUM_ROWS), disk.mostFetched());
        for (int step = 1; step <= 60; step++) {
          int[] ids = someRows(1 + random.nextInt(40));
          change(plain, ids, step);
          change(disk, ids, step);
          assertSame(plain, disk, ids[0]);
          assertSame(plain, disk, random.nextInt(NUM_ROWS));
        }
        disk.flush(workers);
        assertEquals(
            -1, MemorySegment.ofArray(rows(plain)).mismatch(MemorySegment.ofArray(rows(disk))));
      }
    }
  }

  @Test
  void rowsThatWereNotFetchedAreReadButNotChanged() {
    try (var disk = onDisk(RowFormat.FP32, 10)) {
      disk.randomise(1, WIDTH, 3, workers);
      disk.fetch(2, i -> i, workers);
      disk.set(1, 0, 5f);
      assertEquals(5f, disk.get(1, 0));
      disk.get(2, 0);
      var error = assertThrows(IllegalStateException.class, () -> disk.set(2, 0, 5f));
      assertEquals("row 2 is changed but was not fetched", error.getMessage());
      var tooMany =
          assertThrows(IllegalArgumentException.class, () -> disk.fetch(11, i -> i, workers));
      assertEquals(
          "a step uses 11 class weights, but memory for them holds 10; give it more, or take fewer"
              + " active classes",
          tooMany.getMessage());
    }
  }

  /** What a killed run leaves: rows overwritten, others still in memory, an entry half written. */
  @ParameterizedTest
  @EnumSource(RowFormat.class)
  void rowsGoBackToTheCheckpointHoweverTheRunWasKilled(RowFormat format) throws IOException {
    byte[] saved;
    try (var killed = onDisk(format, 50);
        var later = onDisk(format, 50)) {
      killed.randomise(1, WIDTH, 3, workers);
      for (int step = 1; step <= 20; step++) {
        change(killed, someRows(30), step);
      }
      killed.flush(workers);
      saved = rows(killed);
      killed.checkpoint(20);
      for (int step = 21; step <= 40; step++) {
        change(killed, someRows(30), step);
      }
      assertTrue(Files.size(folder.resolve("weights.rows.undo")) > 200, "nothing was overwritten");
      Files.write(folder.resolve("weights.rows.undo"), new byte[77], StandardOpenOption.APPEND);
      later.rollBack(20);
      assertEquals(-1, MemorySegment.ofArray(saved).mismatch(MemorySegment.ofArray(rows(later))));
      change(later, someRows(30), 21);
      later.flush(workers);
      later.rollBack(20); // and again
      assertEquals(-1, MemorySegment.ofArray(saved).mismatch(MemorySegment.ofArray(rows(later))));
    }
  }

  @Test
  void aCheckpointThatWasCommittedButNotBegunKeepsItsRows() {
    try (var killed = onDisk(RowFormat.FP32, 50);
        var later = onDisk(RowFormat.FP32, 50)) {
      killed.randomise(1, WIDTH, 3, workers);
      killed.flush(workers);
      killed.checkpoint(10);
      change(killed, someRows(30), 11);
      killed.flush(workers); // for the checkpoint after step 12, which was committed then
      byte[] saved = rows(killed);
      later.rollBack(12);
      assertEquals(-1, MemorySegment.ofArray(saved).mismatch(MemorySegment.ofArray(rows(later))));
    }
  }

  @Test
  void rowsThatCannotGoBackSayWhy() throws IOException {
    try (var disk = onDisk(RowFormat.FP32, 50)) {
      disk.randomise(1, WIDTH, 3, workers);
      disk.checkpoint(10);
      var tooEarly = assertThrows(InvalidFileException.class, () -> disk.rollBack(9));
      assertTrue(
          String.valueOf(tooEarly.getMessage())
              .endsWith(
                  "belongs to the checkpoint after step 10, which is not there; the rows of step 9"
                      + " are lost; start a new run"),
          tooEarly.getMessage());
      Files.write(folder.resolve("weights.rows.undo"), new byte[5]);
      var damaged = assertThrows(InvalidFileException.class, () -> disk.rollBack(10));
      assertTrue(
          String.valueOf(damaged.getMessage())
              .endsWith("is not the log of rows of 256 bytes; start a new run"),
          damaged.getMessage());
      Files.delete(folder.resolve("weights.rows.undo"));
      assertThrows(InvalidFileException.class, () -> disk.rollBack(10));
    }
  }

  @Test
  void aDiskWithoutRoomIsNamedBeforeAnythingIsWritten() {
    var error =
        assertThrows(
            UncheckedIOException.class,
            () ->
                RowMatrix.onDisk(
                    path(), Integer.MAX_VALUE, 65_536, STATE, RowFormat.FP32, 1 << 20));
    assertTrue(
        String.valueOf(error.getMessage())
            .contains("MiB left; free some, or write to another disk"));
    assertTrue(Files.notExists(path()));
  }
}
