// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import megaclass.internal.AtomicFiles;
import megaclass.internal.InvalidFileException;

/** Result files: NAME.json, and the table NAME.md that is made from it. */
final class ResultFile {
  private static final String JSON = ".json";
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private ResultFile() {}

  /** Writes both files; {@code json} ends with .json. */
  static void write(BenchResult result, Path json) {
    AtomicFiles.writeString(json, text(result) + "\n");
    AtomicFiles.writeString(tableOf(json), ResultTable.of(result, nameOf(json)));
  }

  /** The table that belongs to a result file. */
  static Path tableOf(Path json) {
    return json.resolveSibling(nameOf(json) + ".md");
  }

  /** Name of a result file without its folder and ending. */
  static String nameOf(Path json) {
    String name = String.valueOf(json.getFileName());
    return name.endsWith(JSON) ? name.substring(0, name.length() - JSON.length()) : name;
  }

  /**
   * Reads a result file.
   *
   * @throws InvalidFileException when it is none, or of a newer version
   */
  static BenchResult read(Path json) {
    try {
      BenchResult result = MAPPER.readValue(Files.readString(json), BenchResult.class);
      if (result.version() > BenchResult.VERSION) {
        throw new InvalidFileException(
            json,
            "is a result of version %d, but this program reads versions up to %d; use a newer one"
                .formatted(result.version(), BenchResult.VERSION));
      }
      return result;
    } catch (JsonProcessingException e) {
      throw new InvalidFileException(json, "is not a result file: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new InvalidFileException(json, e);
    }
  }

  /** A value as JSON. */
  static String text(Object value) {
    try {
      return MAPPER.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("cannot write %s as JSON".formatted(value), e);
    }
  }

  /** A value from JSON. */
  static <T> T value(String json, Class<T> type) {
    try {
      return MAPPER.readValue(json, type);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("cannot read %s from: %s".formatted(type, json), e);
    }
  }
}
