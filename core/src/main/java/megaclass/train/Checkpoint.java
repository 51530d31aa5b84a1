// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import megaclass.internal.Folders;
import megaclass.internal.InvalidFileException;
import megaclass.internal.IoErrors;
import megaclass.internal.SectionFile;
import megaclass.internal.TextProperties;
import org.jspecify.annotations.Nullable;

/**
 * Checkpoints of a run: folders {@code step-000001234}, each with {@code run.mck} and one file for
 * every shard of every matrix, named by its range of rows, so that another number of workers can
 * read what it needs.
 *
 * <p>A folder is written under another name, forced to the disk and renamed: a run that is killed
 * at any instant finds its last committed checkpoint whole. Rows are saved as they are, not caught
 * up, so that saving changes nothing. The two newest are kept.
 *
 * <p>Rows that lie on disk are not written again: those that were changed are brought to their
 * file, and from the commit on what they hold is saved before they are overwritten (see {@link
 * RowMatrix#checkpoint}). Only the newest checkpoint is kept then.
 */
final class Checkpoint {
  static final String KIND = "CKPT";
  static final int VERSION = 1;

  private static final String SUFFIX = ".mck";
  private static final String PREFIX = "step-";
  private static final String PART = ".part";
  private static final int KEPT = 2;

  private final Path folder;

  /**
   * What is saved.
   *
   * @param matrices by name, as "weights"
   * @param parts what is kept besides rows, by name, as "selector"
   */
  record Contents(Map<String, RowMatrix> matrices, Map<String, Part> parts) {
    private boolean isOnDisk() {
      return matrices.values().stream().anyMatch(RowMatrix::isOnDisk);
    }
  }

  /**
   * Something that has a state of its own.
   *
   * @param state gives it, by name, if there is something
   * @param restore takes it back
   */
  record Part(
      Supplier<Map<String, MemorySegment>> state,
      Consumer<Function<String, MemorySegment>> restore) {}

  Checkpoint(Path folder) {
    this.folder = folder;
  }

  /**
   * Commits a checkpoint.
   *
   * @param step steps done
   * @param settings what a resumed run must agree with
   * @return the committed folder
   * @throws UncheckedIOException when it cannot be written; the ones before it are still there
   */
  Path save(long step, Map<String, String> settings, Contents contents, Workers workers) {
    Path committed = folder.resolve(PREFIX + String.format(Locale.ROOT, "%09d", step));
    Path part = folder.resolve(committed.getFileName() + PART);
    try {
      deleteLeftovers();
      Files.createDirectories(part);
      contents.matrices().values().forEach(matrix -> matrix.flush(workers));
      var shards = new ArrayList<Runnable>();
      contents
          .matrices()
          .forEach(
              (name, matrix) ->
                  matrix
                      .shards()
                      .forEach(shard -> shards.add(() -> write(part, name, matrix, shard))));
      contents
          .parts()
          .forEach((name, one) -> shards.add(() -> writePart(part, name, one.state().get())));
      workers.run(shards.size(), (task, _) -> shards.get(task).run());
      writeRun(part, step, settings);
      Folders.force(part);
      if (Files.exists(committed)) {
        delete(committed);
      }
      Files.move(part, committed, StandardCopyOption.ATOMIC_MOVE);
      Folders.force(folder);
      contents.matrices().values().forEach(matrix -> matrix.checkpoint(step));
      deleteOld(contents.isOnDisk() ? 1 : KEPT);
      return committed;
    } catch (UncheckedIOException e) {
      throw notWritten(committed, part, Objects.requireNonNull(e.getCause()));
    } catch (IOException e) {
      throw notWritten(committed, part, e);
    }
  }

  /** What was written of it goes, so that a full disk is not kept full. */
  private static UncheckedIOException notWritten(Path committed, Path part, IOException cause) {
    var failure =
        new UncheckedIOException(
            "cannot write checkpoint %s: %s".formatted(committed, IoErrors.sentence(cause)), cause);
    try {
      Folders.delete(part);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
    return failure;
  }

  /**
   * Makes the folder, so that a place that cannot be written to ends a run before its first step
   * and not hours later.
   */
  void prepare() {
    try {
      Files.createDirectories(folder);
      if (!Files.isWritable(folder)) {
        throw new AccessDeniedException(folder.toString());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot write checkpoints to %s: %s".formatted(folder, IoErrors.sentence(e)), e);
    }
  }

  private static void write(Path part, String name, RowMatrix matrix, RowMatrix.Shard shard) {
    try (var file = new SectionFile.Writer(part.resolve(fileName(name, shard)), KIND, VERSION)) {
      if (!matrix.isOnDisk()) {
        file.section("rows", shard.rows());
      }
      file.section("accumulators", shard.accumulators());
      file.section("steps", shard.lastSteps());
      file.finish();
    }
  }

  private static void writePart(Path part, String name, Map<String, MemorySegment> state) {
    if (!state.isEmpty()) {
      try (var file = new SectionFile.Writer(part.resolve(name + SUFFIX), KIND, VERSION)) {
        state.forEach(file::section);
        file.finish();
      }
    }
  }

  private static String fileName(String matrix, RowMatrix.Shard shard) {
    return String.format(Locale.ROOT, "%s-%09d-%09d.mck", matrix, shard.from(), shard.to());
  }

  private static void writeRun(Path part, long step, Map<String, String> settings) {
    var meta = new LinkedHashMap<String, String>();
    meta.put("step", String.valueOf(step));
    settings.forEach((name, value) -> meta.put("settings." + name, value));
    try (var file = new SectionFile.Writer(part.resolve("run.mck"), KIND, VERSION)) {
      file.section("meta", MemorySegment.ofArray(TextProperties.format(meta).getBytes(UTF_8)));
      file.finish();
    }
  }

  /** Bytes of all files of a committed checkpoint. */
  static long sizeInBytes(Path committed) {
    try (Stream<Path> files = Files.list(committed)) {
      long bytes = 0;
      for (Path file : files.toList()) {
        bytes += Files.size(file);
      }
      return bytes;
    } catch (IOException e) {
      throw new InvalidFileException(committed, e);
    }
  }

  /** The newest committed checkpoint, if there is one. */
  Optional<Path> newest() {
    return committed().stream().max(Comparator.naturalOrder());
  }

  private List<Path> committed() {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(entry -> entry.getFileName().toString().matches(PREFIX + "\\d+"))
          .filter(Files::isDirectory)
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new InvalidFileException(folder, e);
    }
  }

  /**
   * Reads how far the run of a checkpoint had come.
   *
   * @param settings of this run, which must be those of the checkpoint
   * @return steps done
   * @throws InvalidFileException when its file is missing or damaged
   * @throws IllegalArgumentException when the checkpoint is of a run with other settings
   */
  static long stepsDone(Path committed, Map<String, String> settings) {
    Path file = committed.resolve("run.mck");
    try (Arena arena = Arena.ofShared()) {
      MemorySegment meta = SectionFile.open(file, KIND, VERSION, arena).section("meta");
      Map<String, String> saved =
          TextProperties.parse(new String(meta.toArray(ValueLayout.JAVA_BYTE), UTF_8));
      settings.forEach(
          (name, value) -> {
            String before = saved.get("settings." + name);
            if (!value.equals(before)) {
              throw new IllegalArgumentException(
                  "cannot resume from %s: its %s is %s, but this run's is %s; resume with the same settings, or start a new run"
                      .formatted(file.getParent(), name, before, value));
            }
          });
      return Long.parseLong(saved.getOrDefault("step", "missing"));
    } catch (NumberFormatException e) {
      throw new InvalidFileException(file, "has no number of steps; take an older checkpoint");
    }
  }

  /**
   * Loads the matrices of a checkpoint and what was kept besides.
   *
   * @throws InvalidFileException when a file is missing or damaged
   */
  static void load(Path committed, Contents contents, Workers workers) {
    var shards = new ArrayList<Runnable>();
    contents
        .matrices()
        .forEach(
            (name, matrix) ->
                matrix
                    .shards()
                    .forEach(shard -> shards.add(() -> read(committed, name, matrix, shard))));
    workers.run(shards.size(), (task, _) -> shards.get(task).run());
    contents.matrices().values().forEach(matrix -> matrix.rollBack(stepOf(committed)));
    contents.parts().forEach((name, part) -> restore(committed.resolve(name + SUFFIX), part));
  }

  private static void restore(Path saved, Part part) {
    try (Arena arena = Arena.ofShared()) {
      var file = Files.exists(saved) ? SectionFile.open(saved, KIND, VERSION, arena) : null;
      part.restore().accept(name -> section(saved, file, name));
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(saved, String.valueOf(e.getMessage()));
    }
  }

  private static MemorySegment section(Path path, @Nullable SectionFile file, String name) {
    if (file == null) {
      throw new InvalidFileException(path, "is missing; take an older checkpoint");
    }
    return file.section(name);
  }

  private static long stepOf(Path committed) {
    return Long.parseLong(committed.getFileName().toString().substring(PREFIX.length()));
  }

  private static void read(Path committed, String name, RowMatrix matrix, RowMatrix.Shard shard) {
    try (Arena arena = Arena.ofShared()) {
      var file = SectionFile.open(committed.resolve(fileName(name, shard)), KIND, VERSION, arena);
      if (!matrix.isOnDisk()) {
        copy(file, "rows", shard.rows());
      }
      copy(file, "accumulators", shard.accumulators());
      copy(file, "steps", shard.lastSteps());
    }
  }

  private static void copy(SectionFile file, String section, MemorySegment into) {
    into.copyFrom(file.section(section, into.byteSize()));
  }

  private void deleteOld(int kept) throws IOException {
    List<Path> all = committed();
    for (Path old : all.subList(0, Math.max(0, all.size() - kept))) {
      delete(old);
    }
  }

  /**
   * Deletes a committed checkpoint. Renamed first: one that is half deleted must not look whole.
   */
  private static void delete(Path committed) throws IOException {
    Path gone = committed.resolveSibling(committed.getFileName() + ".old" + PART);
    Folders.delete(gone);
    Files.move(committed, gone, StandardCopyOption.ATOMIC_MOVE);
    Folders.delete(gone);
  }

  /** What a killed run was writing or deleting. */
  private void deleteLeftovers() throws IOException {
    if (Files.isDirectory(folder)) {
      try (Stream<Path> entries = Files.list(folder)) {
        for (Path entry : entries.filter(entry -> entry.toString().endsWith(PART)).toList()) {
          Folders.delete(entry);
        }
      }
    }
  }

  /** Deletes the checkpoints of an earlier run, before a new one begins in its folder. */
  void clear() {
    try {
      deleteLeftovers();
      for (Path old : committed()) {
        delete(old);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot delete the old checkpoints in %s: %s".formatted(folder, IoErrors.sentence(e)), e);
    }
  }
}
