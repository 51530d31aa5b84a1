// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import megaclass.internal.InvalidFileException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    file = folder.resolve("metrics.jsonl");
    Files.writeString(
        file,
        """
        {"event":"started","run":"r"}
        {"event":"progress","step":10,"seconds":1.5,"stageSeconds":{"loss":1.0}}
        {"event":"progress","step":20,"seconds":3.0,"stageSeconds":{"loss":2.0,"update":0.5}}
        {"event":"progress","step":30,"sec\
        """);
  }

  @Test
  void aResumedRunDropsWhatCameAfterItsStepAndCountsItsSecondsOn() throws IOException {
    try (var metrics = Metrics.resume(file, 20)) {
      assertEquals(5.0, metrics.seconds(2));
      assertEquals(
          Map.of("loss", 3.0, "update", 0.5, "read", 4.0),
          metrics.stageSeconds(Map.of("loss", 1.0, "read", 4.0)));
      metrics.add(new Message("resumed", Map.of("step", 20), ""));
    }
    assertEquals(List.of("started", "progress", "progress", "resumed"), events());
    Metrics.resume(file, 10).close();
    assertEquals(List.of("started", "progress"), events());
    assertEquals(2, Files.readAllLines(file).size());
  }

  @Test
  void aNewRunStartsWithAnEmptyFile() throws IOException {
    try (var metrics = Metrics.start(file)) {
      assertEquals(2, metrics.seconds(2));
    }
    assertEquals("", Files.readString(file));
  }

  @Test
  void aLineThatIsTornIsLeftOutOnlyAtTheEnd() throws IOException {
    assertEquals(3, Metrics.read(file).size());
    Files.writeString(file, "{\"event\":\"started\"}\n{\"even\n{\"event\":\"done\"}\n");
    var e = assertThrows(InvalidFileException.class, () -> Metrics.read(file));
    assertEquals(
        file + ":2: not a JSON object: Unexpected end-of-input in field name", e.getMessage());
  }

  private List<Object> events() {
    return Metrics.read(file).stream().<Object>map(line -> line.get("event")).toList();
  }
}
