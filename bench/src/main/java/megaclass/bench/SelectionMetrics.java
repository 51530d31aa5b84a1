// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import megaclass.bench.SelectionRun.Chosen;
import megaclass.bench.SelectionRun.Point;
import megaclass.bench.SelectionRun.Tested;
import megaclass.internal.InvalidFileException;

/** What {@code metrics.jsonl} of a run folder says, as a result. */
final class SelectionMetrics {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Path file;
  private final List<JsonNode> lines = new ArrayList<>();

  private SelectionMetrics(Path file) {
    this.file = file;
    try {
      for (String line : Files.readAllLines(file)) {
        lines.add(MAPPER.readTree(line));
      }
    } catch (JsonProcessingException e) {
      throw new InvalidFileException(file, "is not JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new InvalidFileException(file, e);
    }
  }

  /**
   * The result of a run that ended.
   *
   * @throws InvalidFileException when it did not
   */
  static SelectionRun read(Path file, SelectionCell cell, List<String> settings) {
    var metrics = new SelectionMetrics(file);
    JsonNode started = metrics.last("started");
    JsonNode finished = metrics.last("finished");
    JsonNode tested = metrics.last("tested");
    double seconds = finished.path("seconds").asDouble();
    return new SelectionRun(
        cell,
        settings,
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        Program.read().commit(),
        Machine.read().summary(),
        started.path("compute").asText() + ", " + started.path("threads").asText() + " threads",
        started.path("train").path("classes").asInt(),
        new Tested(
            tested.path("examples").asLong(),
            tested.path("top1").asDouble(),
            tested.path("topK").asDouble(),
            tested.path("meanLoss").asDouble()),
        metrics.numActive(),
        seconds,
        metrics.examples(started, finished) / seconds,
        metrics.curve(),
        metrics.find("selection").map(SelectionMetrics::chosen).orElse(null),
        numbers(finished.path("stageSeconds")));
  }

  /** The seconds of a validation count the validation itself, which is not training. */
  private List<Point> curve() {
    return all("evaluated").stream()
        .map(
            line ->
                new Point(
                    line.path("seconds").asDouble() - line.path("evaluationSeconds").asDouble(),
                    line.path("top1").asDouble()))
        .toList();
  }

  private int numActive() {
    return all("progress").stream()
        .mapToInt(line -> line.path("numActive").asInt())
        .max()
        .orElse(0);
  }

  private double examples(JsonNode started, JsonNode finished) {
    double epochs = finished.path("step").asDouble() / started.path("stepsPerEpoch").asDouble();
    return epochs * started.path("train").path("examples").asDouble();
  }

  private static Chosen chosen(JsonNode line) {
    return new Chosen(
        line.path("coveredMass").asDouble(),
        line.path("selectionRecall").asDouble(),
        line.path("logZBias").asDouble(),
        numbers(line.path("cumulativeMass")));
  }

  private static Map<String, Double> numbers(JsonNode object) {
    var numbers = new LinkedHashMap<String, Double>();
    object.properties().forEach(field -> numbers.put(field.getKey(), field.getValue().asDouble()));
    return numbers;
  }

  private List<JsonNode> all(String event) {
    return lines.stream().filter(line -> line.path("event").asText().equals(event)).toList();
  }

  private Optional<JsonNode> find(String event) {
    return all(event).stream().reduce((_, later) -> later);
  }

  private JsonNode last(String event) {
    return find(event)
        .orElseThrow(
            () ->
                new InvalidFileException(
                    file, "has no line \"%s\": the run did not end".formatted(event)));
  }
}
