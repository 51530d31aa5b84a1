// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import megaclass.TestBackend;
import megaclass.compute.ComputeBackend;
import megaclass.compute.RowFormat;
import megaclass.data.Dataset;
import megaclass.head.MirrorProvider;
import megaclass.internal.SectionFile;
import megaclass.loss.Loss;
import megaclass.model.Classifier;
import megaclass.optim.OptimizerSpec;
import megaclass.select.SelectorSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A run whose head lies elsewhere, here on a made-up device with rows of its own, is the run whose
 * head lies on the host, bit for bit: nothing that the head needs or gives bypasses its interface.
 */
class HeadOnADeviceTest {
  private static final String MIRROR = MirrorProvider.NAME;
  private static final Duration NEVER = Duration.ofDays(1);

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          fp32 | adagrad                                 | uniform(0.1)                            | normsoftmax(scale=16)
          bf16 | sgd(momentum=0.9, decay=0.001)          | ivf(0.2, repairEvery=7) + tail(0.25)    | cosface(scale=16, margin=0.1)
          fp32 | sgd(momentum=0.9, nesterov=true)        | exactTop(60)                            | softmax(bias=true)
          bf16 | adagrad                                 | all                                     | softmax
          fp32 | sgd(momentum=0.9)                       | uniform(0.2) + groups(3)                | normsoftmax(scale=16)
          fp32 | sgd(momentum=0, decay=0.01)             | auto(0.2, tuneAfter=3)                  | normsoftmax(scale=16)
          """)
  void aHeadElsewhereLearnsAndReportsTheSame(
      String dtype, String optimizer, String selector, String loss) throws IOException {
    var config =
        config()
            .withDtype(RowFormat.parse(dtype))
            .withOptimizer(OptimizerSpec.parse(optimizer))
            .withSelector(SelectorSpec.parse(selector))
            .withLoss(Loss.parse(loss));
    try (var data = KilledRun.texts()) {
      var onHost = new Run(config.withBackend("auto"), data);
      var elsewhere = new Run(config.withBackend(MIRROR), data);
      assertEquals(onHost.reports, elsewhere.reports);
      assertSameRows(onHost.model, elsewhere.model);
      // Killed after its thirty-first step, with evaluations before and after.
      var first = new Run(config.withBackend(MIRROR), data, 31);
      var second = new Run(config.withBackend(MIRROR).withThreads(3), data);
      assertSameRows(onHost.model, second.model);
      var both = new ArrayList<>(first.reports);
      both.addAll(second.reports);
      assertEquals(onHost.reports, both);
    }
  }

  /** A run with its model and all that it tells, but times. */
  private final class Run {
    final List<Object> reports = new ArrayList<>();
    final Path model;

    Run(TrainConfig config, Dataset data) throws IOException {
      this(config, data, Integer.MAX_VALUE);
    }

    /** Resumes from the run before if that was stopped with this backend. */
    Run(TrainConfig config, Dataset data, int stopAfter) throws IOException {
      var steps = new AtomicInteger();
      var trainer =
          new Trainer(config)
              .withValidation(data, 5, 4, 100)
              .withCheckpoints(folder.resolve(config.backend()), NEVER, true)
              .stopWhen(() -> steps.incrementAndGet() >= stopAfter);
      try (var trained = trainer.fit(data, this::heard)) {
        model = save(trained);
      }
    }

    private void heard(TrainEvent event) {
      switch (event) {
        case TrainEvent.Evaluated(long step, double _, var evaluation) ->
            reports.add(List.of(step, evaluation.top1(), evaluation.meanLoss()));
        case TrainEvent.SelectionMeasured measured -> reports.add(measured);
        default -> {}
      }
    }
  }

  private Path save(Classifier trained) throws IOException {
    Path file = Files.createTempFile(folder, "model-", ".mcm");
    trained.save(file);
    return file;
  }

  private static void assertSameRows(Path expected, Path actual) {
    for (String name : List.of("weights", "table")) {
      assertArrayEquals(section(expected, name), section(actual, name), name);
    }
  }

  private static byte[] section(Path model, String name) {
    try (var arena = Arena.ofConfined()) {
      var file = SectionFile.open(model, SectionFile.kindOf(model), 1, arena);
      return file.section(name).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static TrainConfig config() {
    return KilledRun.config().withEpochs(2);
  }

  // ---- which one -----------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {"auto", "vector", "scalar"})
  void theHostThatWasAskedForIsUsed(String backend) {
    String wanted = ComputeBackend.named(backend).description();
    assertTrue(wanted.startsWith(backend.equals("auto") ? "vector" : backend), wanted);
    assertEquals(List.of(wanted, wanted), told(config().withBackend(backend)));
  }

  @Test
  void theDeviceThatWasAskedForIsUsed() {
    String wanted = ComputeBackend.named("auto").description() + "; head on mirror: looking-glass";
    assertEquals(List.of(wanted, wanted), told(config().withBackend(MIRROR)));
  }

  /** What a run says before its first step that it computes with, and its model afterwards. */
  private static List<String> told(TrainConfig config) {
    var told = new ArrayList<String>();
    try (var data = KilledRun.texts();
        var classifier =
            new Trainer(config.withEpochs(0.05))
                .fit(
                    data,
                    event -> {
                      if (event instanceof TrainEvent.Started started) {
                        told.add(started.backend());
                      }
                    })) {
      told.add(classifier.provenance().getOrDefault("arithmetic", ""));
    }
    return told;
  }

  @Test
  void aRunGoesOnWhereItBeganAndWithThatPrecision() throws IOException {
    var config = config().withBackend(MIRROR);
    try (var data = KilledRun.texts()) {
      var unused = new Run(config, data, 3);
      Files.move(folder.resolve(MIRROR), folder.resolve("auto"));
      assertTrue(
          failure(() -> new Run(config.withBackend("auto"), data))
              .endsWith(
                  ": its backend is mirror, but this run's is auto; resume with the same settings,"
                      + " or start a new run"));
      assertFalse(unused.reports.isEmpty());
    }
    assertFalse(config.withBackend("auto").settings().containsKey("devicePrecision"));
    assertEquals("tf32", config.settings().get("devicePrecision"));
  }

  // ---- what is refused -----------------------------------------------------------------------

  @Test
  void classWeightsLieOnDiskOrOnADevice() {
    var config = config().withBackend(MIRROR).withWeightsMemory(KilledRun.SMALL_MEMORY);
    String expected =
        "backend \"mirror\" has a copy of all class weights in memory, but weights.memory is less"
            + " than they take; take all, or a backend that trains in memory";
    assertEquals(expected, failure(() -> MemoryPlan.of(config, 500, 0)));
    try (var data = KilledRun.texts()) {
      assertEquals(expected, failure(() -> new Trainer(config).fit(data, _ -> {})));
    }
  }

  @Test
  void whatADeviceCannotTrainIsRefusedBeforeItIsTried() {
    var config = config().withBackend(MIRROR).withSelector(SelectorSpec.parse("forest(0.1)"));
    String expected = "backend \"mirror\" has no forest; take ivf";
    assertEquals(expected, failure(() -> MemoryPlan.of(config, 500, 0)));
    try (var data = KilledRun.texts()) {
      assertEquals(expected, failure(() -> new Trainer(config).fit(data, _ -> {})));
    }
  }

  @Test
  void aDeviceThatIsNotThereEndsARunBeforeItBegins() {
    try (var data = KilledRun.texts()) {
      var other = config().withBackend(MIRROR).withDeviceNumber(1);
      assertEquals(
          "backend \"mirror\" cannot be used here: there is one device, number 0, but number 1 is"
              + " asked for. Or take auto, vector or scalar",
          failure(() -> new Trainer(other).fit(data, _ -> {})));
    }
  }

  private static String failure(Executable refused) {
    return String.valueOf(assertThrows(IllegalArgumentException.class, refused).getMessage());
  }

  // ---- memory --------------------------------------------------------------------------------

  @Test
  void thePlanHasTheMemoryOfTheDeviceByItself() {
    var onHost = MemoryPlan.of(config().withBackend(TestBackend.NAME), 500, 0);
    var elsewhere = MemoryPlan.of(config().withBackend(MIRROR), 500, 0);
    assertEquals(Map.of(), onHost.deviceBytes());
    assertEquals(0, onHost.totalDeviceBytes());
    // 24 floats take 32, the velocity as many, and 4 bytes for the step of the row.
    assertEquals(Map.of("class weights", 500L * (4 * 2 * 32 + 4)), elsewhere.deviceBytes());
    assertEquals(500L * (4 * 2 * 32 + 4), elsewhere.totalDeviceBytes());
    assertEquals(onHost.bytes().get("class weights"), elsewhere.bytes().get("class weights"));
    assertTrue(elsewhere.totalBytes() < onHost.totalBytes(), "tiles are not on the host");
    assertFalse(
        Stream.of("class selector", "batch and tiles").anyMatch(elsewhere.bytes()::containsKey));
    assertTrue(onHost.bytes().containsKey("batch and tiles"));
  }
}
