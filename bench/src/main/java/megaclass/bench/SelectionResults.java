// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import megaclass.internal.InvalidFileException;

/** The result file of the comparison of selectors: a {@link SelectionRun} a line. */
final class SelectionResults {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private SelectionResults() {}

  /**
   * All runs in a file, none when there is no file.
   *
   * @throws InvalidFileException when a line is no run, or two runs of a cell with one loss on one
   *     data set had different settings: they cannot be compared
   */
  static List<SelectionRun> read(Path file) {
    var runs = new ArrayList<SelectionRun>();
    if (!Files.exists(file)) {
      return runs;
    }
    var settings = new HashMap<String, List<String>>();
    long number = 0;
    for (String line : lines(file)) {
      number++;
      SelectionRun run = parse(file, number, line);
      List<String> first = settings.putIfAbsent(run.cell().data(), run.settings());
      if (first != null && !first.equals(run.settings())) {
        throw new InvalidFileException(
            file,
            number,
            "has other settings than the runs on %s before it; give --results another file"
                .formatted(run.cell().data()));
      }
      runs.add(run);
    }
    return runs;
  }

  /** Adds a line. */
  static void append(Path file, SelectionRun run) {
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Files.writeString(
          file,
          MAPPER.writeValueAsString(run) + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
    }
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new InvalidFileException(file, e);
    }
  }

  private static SelectionRun parse(Path file, long number, String line) {
    try {
      return MAPPER.readValue(line, SelectionRun.class);
    } catch (JsonProcessingException e) {
      throw new InvalidFileException(
          file, number, "is no run of the comparison: " + e.getOriginalMessage());
    }
  }
}
