// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import megaclass.bench.CellRun.WarmUp;
import megaclass.data.Dataset;
import megaclass.internal.Folders;
import megaclass.internal.IoErrors;
import megaclass.train.Trainer;

/** Measures one cell in this JVM, by the road that every training run takes: {@link Trainer}. */
final class CellBench {
  private static final Duration NEVER = Duration.ofDays(365);

  private CellBench() {}

  /** Makes the data, trains until the window is over, and throws the classifier away. */
  static CellRun run(Cell cell, double warmUpSeconds, double windowSeconds) {
    long begin = System.nanoTime();
    try (var data = Dataset.synthetic(cell.data())) {
      var window = new MeasuredWindow(warmUpSeconds, windowSeconds);
      long made = System.nanoTime();
      train(cell, data, window);
      long samples =
          samples(window.endStep(), data.numExamples(), cell.batchSize())
              - samples(window.firstStep(), data.numExamples(), cell.batchSize());
      return new CellRun(
          samples / window.seconds(),
          window.endStep() - window.firstStep(),
          window.seconds(),
          window.stageSeconds(),
          window.cpuShare(cell.threads()),
          window.numActive(),
          window.loss(),
          new WarmUp(
              (made - begin) * 1e-9,
              (window.startedAt() - made) * 1e-9,
              window.firstStep(),
              window.warmUpSeconds()),
          Machine.peakRssBytes(),
          window.ownBytes(),
          cell.plannedBytes(),
          window.backend());
    }
  }

  private static void train(Cell cell, Dataset data, MeasuredWindow window) {
    var trainer = new Trainer(cell.config()).stopWhen(window);
    if (!cell.config().weightsOnDisk(cell.numClasses())) {
      trainer.fit(data, window).close();
      return;
    }
    Path folder = Path.of("target", "bench-rows-" + ProcessHandle.current().pid());
    try {
      trainer.withCheckpoints(folder, NEVER, false).fit(data, window).close();
    } finally {
      delete(folder);
    }
  }

  private static void delete(Path folder) {
    try {
      Folders.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + folder + ": " + IoErrors.sentence(e), e);
    }
  }

  /** Samples of the first steps; the last batch of an epoch may be smaller than the others. */
  static long samples(long steps, long examples, int batchSize) {
    long stepsPerEpoch = (examples + batchSize - 1) / batchSize;
    return steps / stepsPerEpoch * examples + steps % stepsPerEpoch * batchSize;
  }
}
