// SPDX-License-Identifier: Apache-2.0
package megaclass.head;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.compute.RowMatrix;
import megaclass.loss.SoftmaxHead;
import megaclass.optim.SparseOptimizer;
import megaclass.select.ActiveClasses;
import megaclass.weights.ClassWeights;

/**
 * The head of the host over rows of its own, as a device has them. From the first step on it spoils
 * the rows of the problem, all but what {@link #synchronise} put there since: whoever counts on
 * them without having asked for them learns NaN.
 */
final class MirrorHead implements TrainingHead {
  private final RowMatrix host;
  private final ClassWeights own;
  private final SoftmaxHead softmax;
  private final CpuHead head;

  MirrorHead(HeadProblem problem) {
    var settings = problem.settings();
    host = problem.weights().matrix();
    own =
        ClassWeights.allocate(
            settings.numClasses(),
            settings.dim(),
            settings.loss().bias(),
            SparseOptimizer.stateFor(settings.optimizer()),
            settings.dtype());
    softmax = new SoftmaxHead(settings.loss(), own, settings.batchSize(), problem.engine());
    head = new CpuHead(problem.withWeights(own), softmax);
  }

  private static void copy(RowMatrix from, RowMatrix to) {
    for (int s = 0; s < from.shards().size(); s++) {
      var source = from.shards().get(s);
      var target = to.shards().get(s);
      target.rows().copyFrom(source.rows());
      target.accumulators().copyFrom(source.accumulators());
      target.lastSteps().copyFrom(source.lastSteps());
    }
  }

  /** NaN in both formats of rows, and steps that never were. */
  private void spoil() {
    for (var shard : host.shards()) {
      shard.rows().fill((byte) 0xff);
      shard.accumulators().fill((byte) 0xff);
      shard.lastSteps().fill((byte) 0xff);
    }
  }

  @Override
  public String description() {
    return "looking-glass";
  }

  @Override
  public void begin() {
    copy(host, own.matrix());
    head.begin();
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    copy(host, own.matrix());
    spoil();
    head.restore(sections);
  }

  @Override
  public void skipStep(double learningRate) {
    head.skipStep(learningRate);
  }

  @Override
  public void beginStep(double learningRate) {
    spoil();
    head.beginStep(learningRate);
  }

  @Override
  public void select(Embeddings embeddings, int[] targets, long step) {
    head.select(embeddings, targets, step);
  }

  @Override
  public double forward(Embeddings embeddings) {
    return head.forward(embeddings);
  }

  @Override
  public double exampleLoss(int i) {
    return head.exampleLoss(i);
  }

  @Override
  public void backward(Embeddings embeddings) {
    head.backward(embeddings);
  }

  @Override
  public void endStep(long step) {
    head.endStep(step);
  }

  @Override
  public int numActive() {
    return head.numActive();
  }

  @Override
  public int weightRows() {
    return head.weightRows();
  }

  @Override
  public ActiveClasses active() {
    return head.active();
  }

  @Override
  public long age(long step) {
    return head.age(step);
  }

  @Override
  public double drift() {
    return head.drift();
  }

  @Override
  public void catchUpAll() {
    head.catchUpAll();
  }

  @Override
  public void synchronise() {
    copy(own.matrix(), host);
  }

  @Override
  public Map<String, MemorySegment> state() {
    return head.state();
  }

  @Override
  public void close() {
    head.close();
    softmax.close();
    own.close();
  }
}
