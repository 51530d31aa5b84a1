// SPDX-License-Identifier: Apache-2.0
package megaclass.head;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.compute.StageClock;
import megaclass.compute.StageClock.Stage;
import megaclass.compute.Workers;
import megaclass.loss.SoftmaxHead;
import megaclass.optim.SparseOptimizer;
import megaclass.select.ActiveClasses;
import megaclass.select.ClassSelector;
import megaclass.weights.ClassWeights;
import org.jspecify.annotations.Nullable;

/** The head on the host: rows are moved where they lie, in the class weights of the problem. */
public final class CpuHead implements TrainingHead {
  private final ClassWeights weights;
  private final Engine engine;
  private final Workers workers;
  private final StageClock clock;
  private final ClassSelector selector;
  private final SoftmaxHead softmax;
  private final SparseOptimizer optimizer;
  private @Nullable ActiveClasses active;

  /**
   * Allocates.
   *
   * @param softmax over the weights of the problem, for its loss and batch size: lent
   */
  public CpuHead(HeadProblem problem, SoftmaxHead softmax) {
    this.weights = problem.weights();
    this.engine = problem.engine();
    this.workers = engine.workers();
    this.clock = engine.clock();
    this.softmax = softmax;
    selector = ClassSelector.of(problem.settings().selector(), problem.selection());
    optimizer = new SparseOptimizer(problem.settings().optimizer(), weights.matrix(), engine);
    optimizer.whenMoved(selector::moved);
  }

  @Override
  public String description() {
    return engine.backend().description();
  }

  @Override
  public void begin() {
    selector.begin();
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    selector.restore(sections);
  }

  @Override
  public void skipStep(double learningRate) {
    optimizer.beginStep(learningRate);
    optimizer.endStep();
  }

  /** Lets the disk read the rows of that batch, if they lie there. */
  @Override
  public void announce(int[] targets, long step) {
    if (weights.matrix().isOnDisk()) {
      clock.enter(Stage.CATCH_UP);
      weights.matrix().announce(selector.foreseen(targets, step), workers);
    }
  }

  @Override
  public void beginStep(double learningRate) {
    optimizer.beginStep(learningRate);
  }

  @Override
  public void select(Embeddings embeddings, int[] targets, long step) {
    if (selector.readsAllWeights()) {
      clock.enter(Stage.CATCH_UP);
      optimizer.catchUpAll(workers);
    }
    clock.enter(Stage.SELECT);
    ActiveClasses chosen = selector.select(embeddings, targets, step);
    clock.enter(Stage.CATCH_UP);
    optimizer.catchUp(chosen.numActive(), chosen::classId, workers);
    active = chosen;
  }

  @Override
  public double forward(Embeddings embeddings) {
    return softmax.forward(embeddings, active());
  }

  @Override
  public double exampleLoss(int i) {
    return softmax.exampleLoss(i);
  }

  @Override
  public void backward(Embeddings embeddings) {
    softmax.backward(embeddings, active(), optimizer);
  }

  @Override
  public void endStep(long step) {
    optimizer.endStep();
    clock.enter(Stage.REFRESH);
    selector.endStep(step);
  }

  @Override
  public int numActive() {
    return active().numActive();
  }

  @Override
  public int weightRows() {
    return selector.readsAllWeights() && optimizer.needsCatchUp()
        ? weights.numClasses()
        : numActive();
  }

  @Override
  public ActiveClasses active() {
    return Objects.requireNonNull(active, "no classes were selected yet");
  }

  @Override
  public long age(long step) {
    return selector.age(step);
  }

  @Override
  public double drift() {
    return selector.drift();
  }

  @Override
  public void catchUpAll() {
    optimizer.catchUpAll(workers);
  }

  /** Nothing to do: the weights of the problem are those that are trained. */
  @Override
  public void synchronise() {}

  @Override
  public Map<String, MemorySegment> state() {
    return selector.state();
  }

  @Override
  public void close() {
    selector.close();
  }
}
