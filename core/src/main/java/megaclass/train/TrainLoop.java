// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import megaclass.backbone.Backbone;
import megaclass.backbone.Embeddings;
import megaclass.compute.StageClock;
import megaclass.compute.StageClock.Stage;
import megaclass.compute.Workers;
import megaclass.data.MiniBatch;
import megaclass.eval.SelectionProbe;
import megaclass.eval.SelectionQuality;
import megaclass.head.TrainingHead;
import megaclass.optim.SparseOptimizer;

/**
 * One step of training, as the method reads: embed a mini-batch, choose the classes it sees, and
 * move the touched rows of both matrices, and only these. The head may do its part on a device.
 */
final class TrainLoop {
  private final TrainState state;
  private final Backbone backbone;
  private final Embeddings embeddings;
  private final TrainingHead head;
  private final SparseOptimizer backboneOptimizer;
  private final Workers workers;
  private final StageClock clock;
  private TrainEvent.Touched touched = new TrainEvent.Touched(1, 0, 0, 0);

  TrainLoop(TrainState state) {
    this.state = state;
    this.backbone = state.backbone();
    this.embeddings = state.embeddings();
    this.head = state.head();
    this.backboneOptimizer = state.backboneOptimizer();
    this.workers = state.engine().workers();
    this.clock = state.engine().clock();
  }

  /** Trains on one mini-batch and returns its mean loss. */
  double step(MiniBatch batch) {
    beginStep(batch.step());
    read(batch); // features -> the parameter rows that they touch
    embed(batch); // (batch, dim)
    head.select(embeddings, batch.classIds(), batch.step()); // numActive <= numClasses
    double loss = head.forward(embeddings); // logits (numActive, batch), tile by tile
    requireFinite(loss, batch);
    head.backward(embeddings); // moves numActive rows of W
    updateBackbone(); // moves the rows of its table that the batch touches, or a network
    endStep(batch);
    return loss;
  }

  /** Lets what a later mini-batch will need be brought nearer, while this one trains. */
  void announce(MiniBatch later) {
    backbone.announce(later);
    head.announce(later.classIds(), later.step());
  }

  /** Chooses the classes for a mini-batch and measures the choice; trains on nothing. */
  SelectionQuality measure(MiniBatch batch, SelectionProbe probe) {
    read(batch);
    embed(batch);
    head.select(embeddings, batch.classIds(), batch.step());
    return probe.measure(batch, embeddings, head.active());
  }

  private void beginStep(long step) {
    clock.enter(Stage.READ);
    head.beginStep(state.learningRate(step));
    backboneOptimizer.beginStep(state.backboneLearningRate(step));
    backbone.beginStep(state.backboneLearningRate(step));
  }

  private void read(MiniBatch batch) {
    backbone.read(batch, true);
    clock.enter(Stage.CATCH_UP);
    backboneOptimizer.catchUp(backbone.numTouched(), backbone::touched, workers);
  }

  private void embed(MiniBatch batch) {
    clock.enter(Stage.EMBED);
    embeddings.begin(batch.size());
    backbone.forward(embeddings);
    embeddings.pack(batch);
  }

  private void updateBackbone() {
    clock.enter(Stage.BACKBONE);
    backbone.backward(embeddings, backboneOptimizer);
  }

  private void endStep(MiniBatch batch) {
    backboneOptimizer.endStep();
    head.endStep(batch.step());
    touched =
        new TrainEvent.Touched(
            batch.size(), head.numActive(), head.weightRows(), backbone.numTouched());
    clock.enter(Stage.OTHER);
  }

  /** What the last step worked on. */
  TrainEvent.Touched touched() {
    return touched;
  }

  /** A broken run stops where it broke, before the damage spreads to the weights. */
  private void requireFinite(double loss, MiniBatch batch) {
    if (Double.isFinite(loss)) {
      return;
    }
    int sample = 0;
    while (Double.isFinite(head.exampleLoss(sample))) {
      sample++;
    }
    throw new ArithmeticException(
        "the loss of example %d of %s (class \"%s\") is %s in step %d; lower the learning rate, or"
                .formatted(
                    batch.example(sample),
                    batch.data().description(),
                    batch.data().labels().label(batch.classIds()[sample]),
                    head.exampleLoss(sample),
                    batch.step())
            + " look at that example; the last checkpoint is still good");
  }
}
