// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import megaclass.train.TrainEvent;
import org.jspecify.annotations.Nullable;

/**
 * Watches a training run and cuts out of it the window that is measured: it begins and ends with a
 * progress report, in which steps and stage times belong together. Asks the run to stop at its end.
 */
final class MeasuredWindow implements Consumer<TrainEvent>, BooleanSupplier {
  /** Steps at least in the warm-up and in the window, however long they take. */
  private static final int MIN_STEPS = 3;

  private final long warmUpNanos;
  private final long windowNanos;
  private final LongSupplier nanoTime;
  private final LongSupplier cpuNanos;
  private long startedAt;
  private long ownBytes;
  private TrainEvent.@Nullable Started started;
  private @Nullable Mark from;
  private @Nullable Mark to;

  /** One end of the window. */
  private record Mark(TrainEvent.Progress progress, long nanos, long cpuNanos) {}

  /** A window of this process, after the clock on the wall. */
  MeasuredWindow(double warmUpSeconds, double windowSeconds) {
    this(warmUpSeconds, windowSeconds, System::nanoTime, processCpuNanos());
  }

  /** With clocks of a test's own. */
  MeasuredWindow(
      double warmUpSeconds, double windowSeconds, LongSupplier nanoTime, LongSupplier cpuNanos) {
    this.warmUpNanos = Math.round(warmUpSeconds * 1e9);
    this.windowNanos = Math.round(windowSeconds * 1e9);
    this.nanoTime = nanoTime;
    this.cpuNanos = cpuNanos;
  }

  private static LongSupplier processCpuNanos() {
    var system = ManagementFactory.getOperatingSystemMXBean();
    return system instanceof com.sun.management.OperatingSystemMXBean process
        ? process::getProcessCpuTime
        : () -> 0;
  }

  @Override
  public void accept(TrainEvent event) {
    switch (event) {
      case TrainEvent.Started now -> started = now;
      case TrainEvent.Initialised _ -> startedAt = nanoTime.getAsLong();
      case TrainEvent.Progress progress -> report(progress);
      case TrainEvent.Evaluated _,
          TrainEvent.SelectionMeasured _,
          TrainEvent.CheckpointSaved _,
          TrainEvent.Finished _ -> {}
    }
  }

  private void report(TrainEvent.Progress progress) {
    long now = nanoTime.getAsLong();
    if (from == null) {
      if (now - startedAt >= warmUpNanos && progress.step() >= MIN_STEPS) {
        from = new Mark(progress, now, cpuNanos.getAsLong());
      }
    } else if (to == null
        && now - from.nanos >= windowNanos
        && progress.step() - from.progress.step() >= MIN_STEPS) {
      to = new Mark(progress, now, cpuNanos.getAsLong());
      ownBytes = Machine.ownBytes();
    }
  }

  /** Whether the window is over. */
  @Override
  public boolean getAsBoolean() {
    return to != null;
  }

  /** When the initial values were there and training began. */
  long startedAt() {
    return startedAt;
  }

  long firstStep() {
    return from().progress.step();
  }

  long endStep() {
    return to().progress.step();
  }

  double warmUpSeconds() {
    return (from().nanos - startedAt) * 1e-9;
  }

  double seconds() {
    return (to().nanos - from().nanos) * 1e-9;
  }

  /** Share of the window that this many threads spent on a core. */
  double cpuShare(int threads) {
    return (to().cpuNanos - from().cpuNanos) * 1e-9 / seconds() / threads;
  }

  /** Seconds of the window by stage; stages that took none of it are left out. */
  Map<String, Double> stageSeconds() {
    var seconds = new LinkedHashMap<String, Double>();
    Map<String, Double> before = from().progress.stageSeconds();
    to().progress
        .stageSeconds()
        .forEach((stage, end) -> seconds.put(stage, end - before.getOrDefault(stage, 0.0)));
    seconds.values().removeIf(time -> time == 0);
    return seconds;
  }

  /** Memory at the end of the window, but for pages of files; 0 when unknown. */
  long ownBytes() {
    return ownBytes;
  }

  double loss() {
    return to().progress.loss();
  }

  int numActive() {
    return to().progress.touched().numActive();
  }

  String backend() {
    return Objects.requireNonNull(started, "the run has not begun").backend();
  }

  private Mark from() {
    return Objects.requireNonNull(from, "the run ended in its warm-up");
  }

  private Mark to() {
    return Objects.requireNonNull(to, "the run ended before the window did");
  }
}
