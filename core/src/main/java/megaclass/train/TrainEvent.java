// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import java.nio.file.Path;
import java.util.Map;
import megaclass.eval.Evaluation;
import megaclass.eval.SelectionQuality;

/** What a training run reports, in the order in which it happens. */
public sealed interface TrainEvent {
  /**
   * Memory is allocated; initial values, or those of a checkpoint, come next.
   *
   * @param plan bytes by term
   * @param backend what computes, as "vector 512 bit"
   * @param stepsPerEpoch batches of an epoch
   * @param totalSteps steps of the whole run
   * @param firstStep 0, or the step that a resumed run goes on with
   */
  record Started(
      MemoryPlan plan, String backend, long stepsPerEpoch, long totalSteps, long firstStep)
      implements TrainEvent {}

  /**
   * The matrices have their initial values, or those of a checkpoint, and training begins.
   *
   * @param seconds it took
   */
  record Initialised(double seconds) implements TrainEvent {}

  /**
   * Some steps were done; about once a second.
   *
   * @param step steps done so far
   * @param totalSteps steps of the whole run
   * @param epoch passes over the data done so far
   * @param loss mean loss of the steps since the last report, in nats; over the active classes
   * @param learningRate of the class weights in the last step
   * @param examplesPerSecond of the steps since the last report
   * @param touched what the last step worked on
   * @param staleness of what the selector searches
   * @param stageSeconds seconds since the start of the run, by stage
   * @param seconds of training since this process started
   */
  record Progress(
      long step,
      long totalSteps,
      double epoch,
      double loss,
      double learningRate,
      double examplesPerSecond,
      Touched touched,
      Staleness staleness,
      Map<String, Double> stageSeconds,
      double seconds)
      implements TrainEvent {}

  /**
   * What a step worked on.
   *
   * @param batch its samples
   * @param numActive its active classes
   * @param weightRows rows of the class weights that it wrote: those of its active classes, or all
   *     when its selector reads all of them and they had missed steps to make up for
   * @param tableRows rows of the backbone's table that it wrote; 0 when there is none
   */
  record Touched(int batch, int numActive, int weightRows, int tableRows) {
    /** Active classes that a sample accounts for. */
    public double classesPerSample() {
      return (double) numActive / batch;
    }
  }

  /**
   * How far what a selector searches is behind the class weights.
   *
   * @param indexAge steps since it was built; 0 when it follows them
   * @param drift mean relative movement of class weights since then; 0 when it follows them
   */
  record Staleness(long indexAge, double drift) {}

  /**
   * The model was evaluated on held-out examples.
   *
   * @param step steps done so far
   * @param seconds of training since this process started, evaluations left out
   */
  record Evaluated(long step, double seconds, Evaluation evaluation) implements TrainEvent {}

  /**
   * The choice of active classes for the next batch was held against the full softmax.
   *
   * @param step steps done so far
   * @param staleness of what the selector searched
   */
  record SelectionMeasured(long step, SelectionQuality quality, Staleness staleness)
      implements TrainEvent {}

  /**
   * A checkpoint was committed, from which the run can be resumed.
   *
   * @param bytes of all its files
   */
  record CheckpointSaved(long step, Path folder, long bytes, double seconds)
      implements TrainEvent {}

  /**
   * Training has ended.
   *
   * @param step steps done
   * @param completed false when it was asked to stop before its last step
   * @param seconds of training since this process started, evaluations left out
   */
  record Finished(long step, boolean completed, double seconds, Map<String, Double> stageSeconds)
      implements TrainEvent {}
}
