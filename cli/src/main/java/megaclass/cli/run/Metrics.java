// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import megaclass.cli.text.Json;
import megaclass.internal.AtomicFiles;
import megaclass.internal.InvalidFileException;

/**
 * The file {@code metrics.jsonl}: every message of a run, one JSON object a line. A resumed run
 * drops what was said after the step it goes on from, and counts its seconds on.
 */
public final class Metrics implements AutoCloseable {
  private final Path file;
  private final BufferedWriter writer;
  private final double secondsBefore;
  private final Map<String, Double> stageSecondsBefore;

  private Metrics(Path file, List<Map<String, Object>> before) {
    this.file = file;
    this.secondsBefore = lastSeconds(before);
    this.stageSecondsBefore = lastStageSeconds(before);
    try {
      this.writer =
          Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  /** Starts a file, in place of one that is there. */
  public static Metrics start(Path file) {
    AtomicFiles.writeString(file, "");
    return new Metrics(file, List.of());
  }

  /**
   * Goes on with a file.
   *
   * @param step what was said after this step is dropped
   */
  public static Metrics resume(Path file, long step) {
    var kept = new ArrayList<Map<String, Object>>();
    if (Files.exists(file)) {
      for (var line : read(file)) {
        if (line.getOrDefault("step", 0) instanceof Number at && at.longValue() <= step) {
          kept.add(line);
        }
      }
    }
    var text = new StringBuilder();
    kept.forEach(line -> text.append(Json.line(line)).append('\n'));
    AtomicFiles.writeString(file, text.toString());
    return new Metrics(file, kept);
  }

  /** All lines of a file; the last one is left out when it was not written to its end. */
  public static List<Map<String, Object>> read(Path file) {
    try {
      var lines = Files.readAllLines(file);
      var objects = new ArrayList<Map<String, Object>>();
      for (int i = 0; i < lines.size(); i++) {
        boolean torn = i == lines.size() - 1 && !lines.get(i).endsWith("}");
        if (!torn) {
          objects.add(parse(file, i, lines.get(i)));
        }
      }
      return objects;
    } catch (IOException e) {
      throw new InvalidFileException(file, e);
    }
  }

  /** Appends a message; it is on its way to the disk when this returns. */
  public void add(Message message) {
    try {
      writer.write(Json.line(message.json()));
      writer.newLine();
      writer.flush();
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  /** Seconds of training in the whole run, from those of this process. */
  public double seconds(double inThisProcess) {
    return secondsBefore + inThisProcess;
  }

  /** Seconds by stage in the whole run, from those of this process. */
  public Map<String, Double> stageSeconds(Map<String, Double> inThisProcess) {
    var sum = new LinkedHashMap<>(inThisProcess);
    stageSecondsBefore.forEach((stage, seconds) -> sum.merge(stage, seconds, Double::sum));
    return sum;
  }

  @Override
  public void close() {
    try {
      writer.close();
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private UncheckedIOException cannotWrite(IOException e) {
    return new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
  }

  private static Map<String, Object> parse(Path file, int line, String text) {
    try {
      return Json.parse(text);
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(file, line + 1, String.valueOf(e.getMessage()));
    }
  }

  private static double lastSeconds(List<Map<String, Object>> lines) {
    double last = 0;
    for (var line : lines) {
      if (line.containsKey("step") && line.get("seconds") instanceof Number seconds) {
        last = Math.max(last, seconds.doubleValue());
      }
    }
    return last;
  }

  private static Map<String, Double> lastStageSeconds(List<Map<String, Object>> lines) {
    var last = new LinkedHashMap<String, Double>();
    for (var line : lines) {
      if (line.get("stageSeconds") instanceof Map<?, ?> stages) {
        stages.forEach(
            (stage, seconds) -> {
              if (seconds instanceof Number number) {
                last.put(String.valueOf(stage), number.doubleValue());
              }
            });
      }
    }
    return last;
  }
}
