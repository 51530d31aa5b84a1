// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import megaclass.ChildJvm;
import megaclass.compute.RowFormat;
import megaclass.data.Dataset;
import megaclass.loss.Loss;
import megaclass.model.Classifier;
import megaclass.optim.OptimizerSpec;
import megaclass.select.SelectorSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A run that was stopped or killed, at whatever instant, ends as if nothing had happened. */
class ResumeTest {
  private static final Duration NEVER = Duration.ofDays(1);

  @TempDir Path folder;

  private Path checkpoints() {
    return folder.resolve("checkpoint");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          1   | adagrad                                                        | uniform(0.1)
          7   | sgd(momentum=0.9, decay=0.001)                                 | uniform(0.1)
          33  | sgd(momentum=0.9, nesterov=true)                               | exactTop(60)
          40  | sgd(momentum=0, decay=0.01)                                    | all
          95  | sgd(momentum=0.9, nesterov=true, decay=0.001, lazyDecay=off)   | uniform(0.1)
          13  | adagrad                                                        | ivf(0.2, numLists=8, repairEvery=5)
          50  | sgd(momentum=0.9, decay=0.001)                                 | ivf(0.2, repairEvery=7) + tail(0.25)
          13  | adagrad                                                        | forest(0.2, numTrees=5, refreshEvery=5)
          20  | sgd(momentum=0.9, decay=0.001)                                 | forest(0.2, numTrees=3, numCandidates=40, refreshEvery=9) + tail(0.25)
          2   | sgd(momentum=0.9)                                              | forest(0.2, numTrees=3, leafSize=9, refreshEvery=100)
          21  | sgd(momentum=0.9, decay=0.001)                                 | ivf(0.1, repairEvery=7) + tail(0.25) + groups(3)
          19  | sgd(momentum=0.9, decay=0.001)                                 | neighbours(0.1, refreshEvery=9)
          18  | sgd(momentum=0.9, decay=0.001)                                 | auto(0.2, tuneAfter=3)
          23  | sgd(momentum=0.9, decay=0.001)                                 | ivf(0.1, coverage=0.9) + adaptive(0.9, probeEvery=5) + curriculum(9)
          """)
  void stoppedAndResumedRunEqualsOneThatWasNot(int stopAfter, String optimizer, String selector)
      throws IOException {
    assertResumes(config("fp32", optimizer, selector), stopAfter);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          7   | adagrad                                | uniform(0.1)
          50  | sgd(momentum=0.9, decay=0.001)         | ivf(0.2, repairEvery=7) + tail(0.25)
          """)
  void roundedRowsResumeToTheSameBits(int stopAfter, String optimizer, String selector)
      throws IOException {
    assertResumes(config("bf16", optimizer, selector), stopAfter);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          fp32 | adagrad                                | uniform(0.1)
          bf16 | adagrad                                | ivf(0.2, repairEvery=7) + tail(0.25)
          fp32 | sgd(momentum=0.9, decay=0.001)         | ivf(0.2, repairEvery=7) + tail(0.25)
          bf16 | sgd(momentum=0.9, decay=0.001)         | neighbours(0.1, refreshEvery=9)
          fp32 | sgd(momentum=0)                        | forest(0.2, numTrees=5, refreshEvery=5)
          """)
  void rowsOnDiskLearnTheSameBitsAsRowsInMemory(String dtype, String optimizer, String selector)
      throws IOException {
    var config = config(dtype, optimizer, selector).withEpochs(2);
    long rowBytes = MemoryPlan.rowBytes(config, 1);
    try (var data = KilledRun.texts()) {
      Path inMemory = save(new Trainer(config).fit(data, _ -> {}));
      var onDisk = config.withWeightsMemory(250 * rowBytes);
      var trainer = new Trainer(onDisk).withCheckpoints(checkpoints(), NEVER, true);
      Path fromDisk = save(trainer.fit(data, _ -> {}));
      assertEquals(-1, Files.mismatch(inMemory, fromDisk));
      assertEquals(data.numClasses() * rowBytes, Files.size(checkpoints().resolve("weights.rows")));
      var steps = new AtomicInteger();
      trainer.stopWhen(() -> steps.incrementAndGet() >= 31).fit(data, _ -> {}).close();
      assertEquals(-1, Files.mismatch(inMemory, save(trainer.fit(data, _ -> {}))));
    }
  }

  @Test
  void weightsOnDiskNeedAFolder() {
    var config = KilledRun.config().withWeightsMemory(KilledRun.SMALL_MEMORY);
    try (var data = KilledRun.texts()) {
      var error =
          assertThrows(
              IllegalArgumentException.class, () -> new Trainer(config).fit(data, _ -> {}));
      assertTrue(
          String.valueOf(error.getMessage()).contains("need a folder of checkpoints"),
          error.getMessage());
    }
  }

  private static TrainConfig config(String dtype, String optimizer, String selector) {
    return KilledRun.config()
        .withEpochs(3)
        .withDtype(RowFormat.parse(dtype))
        .withOptimizer(OptimizerSpec.parse(optimizer))
        .withSelector(SelectorSpec.parse(selector));
  }

  private void assertResumes(TrainConfig config, int stopAfter) throws IOException {
    try (var data = KilledRun.texts()) {
      Path undisturbed = save(new Trainer(config).fit(data, _ -> {}));
      var steps = new AtomicInteger();
      var trainer = new Trainer(config).withCheckpoints(checkpoints(), NEVER, true);
      trainer.stopWhen(() -> steps.incrementAndGet() >= stopAfter).fit(data, _ -> {}).close();
      var resumedWithOtherThreads =
          new Trainer(config.withThreads(3)).withCheckpoints(checkpoints(), NEVER, true);
      Path resumed = save(resumedWithOtherThreads.fit(data, _ -> {}));
      assertEquals(-1, Files.mismatch(undisturbed, resumed));
    }
  }

  @Test
  void evaluationsInBetweenDoNotKeepAResumedRunFromRepeating() throws IOException {
    try (var data = KilledRun.texts()) {
      var trainer =
          new Trainer(KilledRun.config().withEpochs(3))
              .withValidation(data, 5, 4, 100)
              .withCheckpoints(checkpoints(), NEVER, true);
      Path undisturbed = save(trainer.fit(data, _ -> {}));
      var steps = new AtomicInteger();
      trainer.stopWhen(() -> steps.incrementAndGet() >= 50).fit(data, _ -> {}).close();
      assertEquals(-1, Files.mismatch(undisturbed, save(trainer.fit(data, _ -> {}))));
    }
  }

  /** With all class weights in memory, and with most of them on disk. */
  @ParameterizedTest
  @ValueSource(longs = {TrainConfig.ALL_IN_MEMORY, KilledRun.SMALL_MEMORY})
  void runKilledAtRandomInstantsEqualsOneThatWasNot(long weightsMemory) throws Exception {
    Path undisturbed;
    try (var data = KilledRun.texts()) {
      undisturbed = save(new Trainer(KilledRun.config().withThreads(1)).fit(data, _ -> {}));
    }
    var random = new SplittableRandom(3);
    Path model = folder.resolve("killed.mcm");
    int kills = 0;
    boolean done = false;
    while (!done) {
      Process process =
          ChildJvm.of(
                  List.of("--add-modules", "jdk.incubator.vector"),
                  KilledRun.class,
                  checkpoints().toString(),
                  model.toString(),
                  "2",
                  String.valueOf(weightsMemory))
              .redirectOutput(folder.resolve("output-" + kills).toFile())
              .start();
      // Ever longer, so that it comes to an end on a slow machine too.
      int patience = 400 + random.nextInt(600) + 150 * kills;
      if (process.waitFor(patience, TimeUnit.MILLISECONDS)) {
        assertEquals(0, process.exitValue(), Files.readString(folder.resolve("output-" + kills)));
        done = true;
      } else {
        process.destroyForcibly().waitFor();
        kills++;
      }
      assertTrue(done || !Files.exists(model) || kills < 1_000, "no half model has its final name");
    }
    assertTrue(kills > 0, "the run was too quick to be killed");
    assertEquals(-1, Files.mismatch(undisturbed, model), kills + " kills");
  }

  @Test
  void resumingWithOtherSettingsSaysWhich() {
    try (var data = KilledRun.texts()) {
      Path committed = stopAfterThreeSteps(data);
      var other = KilledRun.config().withLoss(Loss.cosFace(32, 0.1));
      var trainer = new Trainer(other).withCheckpoints(checkpoints(), NEVER, true);
      var e = assertThrows(IllegalArgumentException.class, () -> trainer.fit(data, _ -> {}));
      assertEquals(
          "cannot resume from "
              + committed
              + ": its loss is normsoftmax(scale=32), but this run's is cosface(scale=32,"
              + " margin=0.1); resume with the same settings, or start a new run",
          e.getMessage());
    }
  }

  @Test
  void damagedTruncatedOrMissingShardIsNamed() throws IOException {
    try (var data = KilledRun.texts()) {
      Path shard = stopAfterThreeSteps(data).resolve("table-000000000-000003000.mck");
      byte[] bytes = Files.readAllBytes(shard);
      byte[] flipped = bytes.clone();
      flipped[bytes.length / 2] ^= 4;
      Files.write(shard, flipped);
      assertTrue(failure(data).startsWith(shard + ": "), failure(data));
      Files.write(shard, Arrays.copyOf(bytes, bytes.length - 1));
      assertTrue(failure(data).startsWith(shard + ": is truncated"), failure(data));
      Files.delete(shard);
      assertTrue(failure(data).startsWith(shard + ": "), failure(data));
      Files.write(shard, bytes);
      new Trainer(KilledRun.config())
          .withCheckpoints(checkpoints(), NEVER, true)
          .fit(data, _ -> {})
          .close();
    }
  }

  @Test
  void onlyTheTwoNewestCheckpointsStayAndLeftoversAreIgnored() throws IOException {
    Files.createDirectories(checkpoints().resolve("step-999999999.part"));
    try (var data = KilledRun.texts()) {
      var saved = new ArrayList<Path>();
      new Trainer(KilledRun.config().withEpochs(1))
          .withCheckpoints(checkpoints(), Duration.ZERO, true)
          .fit(
              data,
              event -> {
                if (event instanceof TrainEvent.CheckpointSaved save) {
                  saved.add(save.folder());
                }
              })
          .close();
      assertTrue(saved.size() > 5);
      try (Stream<Path> left = Files.list(checkpoints())) {
        assertEquals(
            saved.subList(saved.size() - 2, saved.size()),
            left.filter(path -> !path.toString().endsWith(".part")).sorted().toList());
      }
    }
  }

  @Test
  void bytesOfACheckpointAreThoseOfAllItsFiles() throws IOException {
    var config = KilledRun.config().withSelector(SelectorSpec.parse("ivf(0.2, numLists=8)"));
    var bytes = new ArrayList<Long>();
    try (var data = KilledRun.texts()) {
      new Trainer(config)
          .withCheckpoints(checkpoints(), NEVER, false)
          .stopWhen(() -> true)
          .fit(
              data,
              event -> {
                if (event instanceof TrainEvent.CheckpointSaved save) {
                  bytes.add(save.bytes());
                }
              })
          .close();
    }
    long expected = 0;
    Path committed = checkpoints().resolve("step-000000001");
    assertTrue(Files.exists(committed.resolve("selector.mck")));
    try (Stream<Path> files = Files.list(committed)) {
      for (Path file : files.toList()) {
        expected += Files.readAllBytes(file).length;
      }
    }
    assertEquals(List.of(expected), bytes);
  }

  private Path stopAfterThreeSteps(Dataset data) {
    var steps = new AtomicInteger();
    new Trainer(KilledRun.config())
        .withCheckpoints(checkpoints(), NEVER, false)
        .stopWhen(() -> steps.incrementAndGet() >= 3)
        .fit(data, _ -> {})
        .close();
    Path committed = checkpoints().resolve("step-000000003");
    assertTrue(Files.isDirectory(committed));
    assertFalse(Files.exists(checkpoints().resolve("step-000000003.part")));
    return committed;
  }

  private String failure(Dataset data) {
    var trainer = new Trainer(KilledRun.config()).withCheckpoints(checkpoints(), NEVER, true);
    return String.valueOf(
        assertThrows(UncheckedIOException.class, () -> trainer.fit(data, _ -> {})).getMessage());
  }

  private Path save(Classifier trained) throws IOException {
    try (trained) {
      Path file = Files.createTempFile(folder, "model-", ".mcm");
      trained.save(file);
      return file;
    }
  }
}
