// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import megaclass.backbone.Backbone;
import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.data.Dataset;
import megaclass.data.Labels;
import megaclass.data.MiniBatch;
import megaclass.internal.Check;
import megaclass.internal.Permutation;
import megaclass.loss.Loss;
import megaclass.weights.ClassWeights;

/**
 * Runs examples through a model and scores them with all classes, batch by batch. An example counts
 * as right when any of its classes is predicted. Not thread-safe, but works with all threads
 * itself.
 */
public final class Evaluator implements AutoCloseable {
  private static final int DECILES = 10;

  /** Receives the scored samples of a batch. */
  public interface BatchVisitor {
    /** Looks at a batch while {@code scorer} holds its results. */
    void visit(MiniBatch batch, Embeddings embeddings, ClassScorer scorer);
  }

  private final Backbone backbone;
  private final Loss loss;
  private final Embeddings embeddings;
  private final ClassScorer scorer;
  private final int batchSize;

  /**
   * What is evaluated.
   *
   * @param backbone from features to embeddings
   * @param weights (numClasses, dim)
   * @param loss that it was trained with
   */
  public record Model(Backbone backbone, ClassWeights weights, Loss loss) {}

  /**
   * Evaluates a model.
   *
   * @param k classes to keep of each example, at least 1; all when there are fewer
   */
  public Evaluator(Model model, int k, Engine engine) {
    Check.atLeast("k", k, 1);
    backbone = model.backbone();
    loss = model.loss();
    batchSize = ClassScorer.preferredBatch(engine.workers());
    var shape = new Embeddings.Shape(model.weights().dim(), loss.normalised(), loss.bias());
    embeddings = new Embeddings(batchSize, shape, engine);
    scorer = new ClassScorer(model.weights(), loss, k, engine);
  }

  /** Scores all examples of a data set, in their order. */
  public void forEachBatch(Dataset data, BatchVisitor visitor) {
    for (long from = 0; from < data.numExamples(); from += batchSize) {
      int size = (int) Math.min(batchSize, data.numExamples() - from);
      score(MiniBatch.range(data, from, size), visitor);
    }
  }

  private void score(MiniBatch batch, BatchVisitor visitor) {
    embeddings.begin(batch.size());
    backbone.read(batch, false);
    backbone.forward(embeddings);
    embeddings.pack(batch);
    scorer.score(embeddings);
    visitor.visit(batch, embeddings, scorer);
  }

  /**
   * Measures accuracy and loss.
   *
   * @param trainCounts training examples of each class, (numClasses)
   * @param maxExamples at most so many; a random sample, always the same, if there are more
   */
  public Evaluation evaluate(Dataset data, long[] trainCounts, long maxExamples) {
    long start = System.nanoTime();
    var tally = new Tally(trainCounts);
    if (maxExamples >= data.numExamples()) {
      forEachBatch(data, tally::add);
    } else {
      var order = new Permutation(data.numExamples(), 0);
      for (long from = 0; from < maxExamples; from += batchSize) {
        long first = from;
        int size = (int) Math.min(batchSize, maxExamples - from);
        long[] examples = IntStream.range(0, size).mapToLong(i -> order.at(first + i)).toArray();
        score(MiniBatch.of(data, examples), tally::add);
      }
    }
    return tally.result((System.nanoTime() - start) * 1e-9);
  }

  /** The best classes of a sample of the batch that was scored last, best first. */
  public List<Prediction> predictions(Labels labels, int sample) {
    var predictions = new ArrayList<Prediction>();
    for (int rank = 0; rank < scorer.size(sample); rank++) {
      double logit = scorer.logit(sample, rank);
      int classId = scorer.classId(sample, rank);
      predictions.add(
          new Prediction(
              classId,
              labels.label(classId),
              logit / loss.scale(),
              Math.exp(logit - scorer.logSumExp(sample))));
    }
    return predictions;
  }

  /** Counts of one evaluation. */
  private final class Tally {
    private final FrequencyDeciles deciles;
    private final long[] examples = new long[DECILES];
    private final long[] right = new long[DECILES];
    private long rightInTopK;
    private double totalLoss;

    Tally(long[] trainCounts) {
      deciles = new FrequencyDeciles(trainCounts);
    }

    void add(MiniBatch batch, Embeddings embeddings, ClassScorer scorer) {
      Dataset data = batch.data();
      for (int i = 0; i < batch.size(); i++) {
        int rank = rankOfTarget(data, batch.example(i), i);
        int decile = deciles.of(batch.classIds()[i]);
        examples[decile]++;
        right[decile] += rank == 0 ? 1 : 0;
        rightInTopK += rank < scorer.k() ? 1 : 0;
        double targetLogits = 0;
        int numTargets = data.numTargets(batch.example(i));
        for (int t = 0; t < numTargets; t++) {
          targetLogits += scorer.logitOf(embeddings, i, data.target(batch.example(i), t), 0);
        }
        totalLoss += scorer.logSumExp(i) - targetLogits / numTargets;
      }
    }

    private int rankOfTarget(Dataset data, long example, int sample) {
      for (int rank = 0; rank < scorer.size(sample); rank++) {
        for (int t = 0; t < data.numTargets(example); t++) {
          if (data.target(example, t) == scorer.classId(sample, rank)) {
            return rank;
          }
        }
      }
      return Integer.MAX_VALUE;
    }

    Evaluation result(double seconds) {
      long total = IntStream.range(0, DECILES).mapToLong(d -> examples[d]).sum();
      long totalRight = IntStream.range(0, DECILES).mapToLong(d -> right[d]).sum();
      var byDecile = new ArrayList<Evaluation.FrequencyDecile>();
      for (int d = 0; d < DECILES; d++) {
        byDecile.add(
            new Evaluation.FrequencyDecile(
                deciles.minCount(d),
                deciles.maxCount(d),
                examples[d],
                (double) right[d] / examples[d]));
      }
      return new Evaluation(
          total,
          (double) totalRight / total,
          (double) rightInTopK / total,
          scorer.k(),
          totalLoss / total,
          List.copyOf(byDecile),
          seconds);
    }
  }

  @Override
  public void close() {
    scorer.close();
    embeddings.close();
  }
}
