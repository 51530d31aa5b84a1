// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import megaclass.cli.UsageException;
import megaclass.cli.text.Quantity;
import megaclass.internal.AtomicFiles;
import megaclass.internal.Folders;
import megaclass.internal.InvalidFileException;
import megaclass.internal.IoErrors;

/**
 * The folder of a run: {@code config.toml}, {@code metrics.jsonl}, {@code model.mcm}, {@code
 * checkpoint/}, {@code report.html} and, when all of it is there, {@code DONE}.
 *
 * @param folder the folder
 * @param name what messages call it
 */
public record RunDirectory(Path folder, String name) {
  /** Starts a run in it, unless there is one already. */
  public void start(boolean force) {
    if (isEmpty()) {
      return;
    }
    if (!Files.exists(config())) {
      throw new UsageException(
          name + " is a folder of something else; --run-dir names another one for this run");
    }
    if (!force) {
      throw new UsageException(
          name
              + " holds a run already; --resume continues it, --force replaces it, --run-dir names"
              + " another folder");
    }
    // DONE first: a folder that has it is whole.
    for (var file : List.of(done(), report(), model(), metrics(), config())) {
      delete(file);
    }
    delete(checkpoints());
  }

  /**
   * Refuses a run that the disk has no room for, before it has cost anything.
   *
   * @param bytes that it will write
   */
  void requireSpace(long bytes) {
    Path existing = folder.toAbsolutePath();
    while (!Files.exists(existing)) {
      existing = Folders.of(existing);
    }
    try {
      long free = Files.getFileStore(existing).getUsableSpace();
      if (bytes > free) {
        throw new IllegalArgumentException(
            "the run writes %s to %s, but the disk has %s left; free some, or let --run-dir name a folder on another disk"
                .formatted(Quantity.bytes(bytes), name, Quantity.bytes(free)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot look at " + name + ": " + IoErrors.sentence(e), e);
    }
  }

  /** Settings, all of them. */
  public Path config() {
    return folder.resolve("config.toml");
  }

  /** What was measured, one JSON object a line. */
  public Path metrics() {
    return folder.resolve("metrics.jsonl");
  }

  /** The trained model. */
  public Path model() {
    return folder.resolve("model.mcm");
  }

  /** What a killed run goes on from. */
  public Path checkpoints() {
    return folder.resolve("checkpoint");
  }

  /** The plots. */
  public Path report() {
    return folder.resolve("report.html");
  }

  /** Says that all the rest is there. */
  public Path done() {
    return folder.resolve("DONE");
  }

  /** Whether the run came to its end. */
  public boolean isDone() {
    return Files.exists(done());
  }

  /** Marks the run as finished. */
  public void finish(boolean keepCheckpoints) {
    AtomicFiles.writeString(done(), "");
    if (!keepCheckpoints) {
      delete(checkpoints());
    }
  }

  /** A file of the folder as messages name it. */
  public String name(Path file) {
    return name + "/" + folder.relativize(file);
  }

  private boolean isEmpty() {
    if (!Files.exists(folder)) {
      return true;
    }
    try (var entries = Files.list(folder)) {
      return entries.findAny().isEmpty();
    } catch (IOException e) {
      throw new InvalidFileException(folder, e);
    }
  }

  /** Deletes a file or a folder with all in it, if it is there. */
  private static void delete(Path path) {
    try {
      Folders.delete(path);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + path + ": " + IoErrors.sentence(e), e);
    }
  }
}
