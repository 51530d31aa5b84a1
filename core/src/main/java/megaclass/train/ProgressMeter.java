// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import java.util.function.Consumer;

/** Turns steps into reports, about one a second. */
final class ProgressMeter {
  private static final double SECONDS_BETWEEN_REPORTS = 1;

  private final TrainState state;
  private final long stepsPerEpoch;
  private final Consumer<? super TrainEvent> listener;
  private double trainedSeconds;
  private long runningSince = System.nanoTime();
  private double lastReport;
  private double lossSum;
  private long examples;

  ProgressMeter(TrainState state, long stepsPerEpoch, Consumer<? super TrainEvent> listener) {
    this.state = state;
    this.stepsPerEpoch = stepsPerEpoch;
    this.listener = listener;
  }

  /** Takes in a step; {@code step} counts the steps done so far. */
  void add(long step, double loss, TrainEvent.Touched touched) {
    lossSum += loss * touched.batch();
    examples += touched.batch();
    double now = seconds();
    if (now - lastReport >= SECONDS_BETWEEN_REPORTS || step == state.totalSteps()) {
      listener.accept(
          new TrainEvent.Progress(
              step,
              state.totalSteps(),
              (double) step / stepsPerEpoch,
              lossSum / examples,
              state.learningRate(step - 1),
              examples / Math.max(1e-9, now - lastReport),
              touched,
              state.staleness(step),
              state.engine().clock().seconds(),
              now));
      lastReport = now;
      lossSum = 0;
      examples = 0;
    }
  }

  /** Training time so far: what lies between {@link #pause} and {@link #goOn} does not count. */
  double seconds() {
    return trainedSeconds + (System.nanoTime() - runningSince) * 1e-9;
  }

  /** Stops counting; returns the training time so far. */
  double pause() {
    trainedSeconds = seconds();
    return trainedSeconds;
  }

  void goOn() {
    runningSince = System.nanoTime();
  }

  void finish(long step, boolean completed) {
    listener.accept(
        new TrainEvent.Finished(step, completed, seconds(), state.engine().clock().seconds()));
  }
}
