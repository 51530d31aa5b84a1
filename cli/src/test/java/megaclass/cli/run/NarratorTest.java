// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import megaclass.cli.Console;
import megaclass.cli.settings.LogStyle;
import megaclass.eval.SelectionQuality;
import megaclass.train.MemoryPlan;
import megaclass.train.TrainEvent;
import megaclass.train.TrainEvent.Staleness;
import megaclass.train.TrainEvent.Touched;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NarratorTest {
  private static final Staleness NONE = new Staleness(0, 0);
  private static final SelectionQuality QUALITY =
      new SelectionQuality(
          64, 31_570, 61.66, 0.8529, 0.572, -0.2354, 0.9731, 0.2149, Map.of(1, 0.5, 10, 0.75));

  @TempDir Path folder;

  @Test
  void aMeasuredChoiceIsTwoLines() {
    assertEquals(
        """
        chosen    31 570 classes, 61.7 a sample
                  covered mass 85.29 %   recall of the ten best 57.2 %   bias of log Z -0.235   \
        gradient cosine 0.973, error 0.215
        """,
        said(new TrainEvent.SelectionMeasured(822, QUALITY, NONE)));
  }

  @Test
  void anIndexThatIsBehindTheWeightsSaysHowFar() {
    assertEquals(
        "chosen    31 570 classes, 61.7 a sample   index of 500 steps ago, drift 1.2 %",
        said(new TrainEvent.SelectionMeasured(822, QUALITY, new Staleness(500, 0.0123)))
            .lines()
            .findFirst()
            .orElseThrow());
    var line = said(progress(NONE)).lines().toList().getLast();
    assertTrue(line.endsWith("    31 570   0.0 s"), line);
    line = said(progress(new Staleness(500, 0.0123))).lines().toList().getLast();
    assertTrue(line.endsWith("    31 570   0.0 s   index of 500 steps ago, drift 1.2 %"), line);
  }

  @Test
  void theMetricsHoldAllThatWasMeasuredOfAChoice() {
    said(new TrainEvent.SelectionMeasured(822, QUALITY, new Staleness(500, 0.0123)));
    assertEquals(
        Map.ofEntries(
            Map.entry("event", "selection"),
            Map.entry("step", 822),
            Map.entry("samples", 64),
            Map.entry("numActive", 31_570),
            Map.entry("classesPerSample", 61.66),
            Map.entry("coveredMass", 0.8529),
            Map.entry("selectionRecall", 0.572),
            Map.entry("logZBias", -0.2354),
            Map.entry("gradientCosine", 0.9731),
            Map.entry("gradientError", 0.2149),
            Map.entry("cumulativeMass", Map.of("1", 0.5, "10", 0.75)),
            Map.entry("indexAge", 500),
            Map.entry("drift", 0.0123)),
        lastMetrics());
  }

  @Test
  void theMetricsHoldWhatAStepTouched() {
    said(progress(new Staleness(500, 0.0123)));
    var last = lastMetrics();
    assertEquals(31_570, last.get("numActive"));
    assertEquals(61.66015625, last.get("classesPerSample"));
    assertEquals(315_689, last.get("weightRows"));
    assertEquals(12_345, last.get("tableRows"));
    assertEquals(500, last.get("indexAge"));
    assertEquals(0.0123, last.get("drift"));
  }

  private static TrainEvent.Progress progress(Staleness staleness) {
    var touched = new Touched(512, 31_570, 315_689, 12_345);
    return new TrainEvent.Progress(
        1000, 1000, 1.0, 2.5, 0.1, 512, touched, staleness, Map.of("loss", 9.0), 10);
  }

  /** What a person reads of an event, after the start of a run. */
  private String said(TrainEvent event) {
    var out = new ByteArrayOutputStream();
    var console =
        new Console(
            InputStream.nullInputStream(),
            new PrintStream(out, true, UTF_8),
            System.err,
            false,
            folder,
            Map.of());
    var start = new TrainRun.Start(new Message("started", Map.of(), ""), false);
    var narrator =
        new Narrator(
            new RunDirectory(folder, "run"), new RunLog(console, LogStyle.TEXT), start, "random");
    narrator.accept(
        new TrainEvent.Started(new MemoryPlan(Map.of(), 0, 0, Map.of()), "scalar", 100, 1000, 0));
    narrator.accept(event);
    narrator.close();
    return out.toString(UTF_8).replace(System.lineSeparator(), "\n");
  }

  private Map<String, Object> lastMetrics() {
    List<Map<String, Object>> lines = Metrics.read(new RunDirectory(folder, "run").metrics());
    return lines.getLast();
  }
}
