// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
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
import org.jspecify.annotations.Nullable;

/**
 * Runs examples through a model and finds their best classes, batch by batch: among all, or through
 * an index, if one is asked for and pays. An example counts as right when any of its classes is
 * predicted. Not thread-safe, but works with all threads itself.
 */
public final class Evaluator implements AutoCloseable {
  private static final int DECILES = 10;

  /** Of the order in which samples of a data set are drawn. */
  private static final long SEED = 0;

  /** Receives the scored samples of a batch. */
  public interface BatchVisitor {
    /** Looks at a batch while {@code scorer} holds its results. */
    void visit(MiniBatch batch, Embeddings embeddings, BestClasses scorer);
  }

  private final Backbone backbone;
  private final Loss loss;
  private final Embeddings embeddings;
  private final ScorerChoice choice;

  /**
   * What is evaluated.
   *
   * @param backbone from features to embeddings
   * @param weights (numClasses, dim)
   * @param loss that it was trained with
   */
  public record Model(Backbone backbone, ClassWeights weights, Loss loss) {}

  /**
   * Evaluates a model by scoring all classes.
   *
   * @param k classes to keep of each example, at least 1; all when there are fewer
   */
  public Evaluator(Model model, int k, Engine engine) {
    this(model, k, null, engine);
  }

  /**
   * Evaluates a model through an index over its class weights, which must not change.
   *
   * <p>It is built once, before the first data set of at least {@link IndexedScorer#SAMPLES}
   * examples, a sample of which shows how far it has to look; or when so many examples of smaller
   * sets have been predicted. Until then, and when an index does not pay, all classes are scored.
   *
   * @param k classes to keep of each example, at least 1; all when there are fewer
   * @param recall what the index has to find; null to score all classes
   */
  public Evaluator(Model model, int k, @Nullable Recall recall, Engine engine) {
    Check.atLeast("k", k, 1);
    backbone = model.backbone();
    loss = model.loss();
    choice = new ScorerChoice(model, k, engine, recall);
    embeddings = new Embeddings(choice.maxBatch(), choice.shape(), engine);
  }

  /**
   * Scores all examples of a data set, in their order.
   *
   * @throws ArithmeticException when an embedding has no direction, or a class weight is not finite
   */
  public void forEachBatch(Dataset data, BatchVisitor visitor) {
    prepare(data, data.numExamples());
    long from = 0;
    while (from < data.numExamples()) {
      int size = (int) Math.min(choice.current().batchSize(), data.numExamples() - from);
      score(MiniBatch.range(data, from, size), visitor);
      choice.learn(embeddings);
      from += size;
    }
  }

  /** Takes an index if one is wanted and there are examples enough to see what it finds. */
  private void prepare(Dataset data, long numExamples) {
    if (choice.isOpen() && numExamples >= IndexedScorer.SAMPLES) {
      var order = new Permutation(data.numExamples(), SEED);
      long[] examples = LongStream.range(0, IndexedScorer.SAMPLES).map(order::at).toArray();
      embed(MiniBatch.of(data, examples));
      choice.decide(embeddings);
    } else {
      choice.tellExact();
    }
  }

  private void embed(MiniBatch batch) {
    embeddings.begin(batch.size());
    backbone.read(batch, false);
    backbone.forward(embeddings);
    embeddings.pack(batch);
  }

  private void score(MiniBatch batch, BatchVisitor visitor) {
    embed(batch);
    choice.current().score(embeddings);
    visitor.visit(batch, embeddings, choice.current());
  }

  /**
   * Measures accuracy, and the loss when all classes are scored.
   *
   * @param trainCounts training examples of each class, (numClasses)
   * @param maxExamples at most so many; a random sample, always the same, if there are more
   */
  public Evaluation evaluate(Dataset data, long[] trainCounts, long maxExamples) {
    long total = Math.min(maxExamples, data.numExamples());
    prepare(data, total);
    int batchSize = choice.current().batchSize();
    long start = System.nanoTime();
    var tally = new Tally(trainCounts);
    var order = new Permutation(Math.max(1, data.numExamples()), SEED);
    for (long from = 0; from < total; from += batchSize) {
      long first = from;
      int size = (int) Math.min(batchSize, total - from);
      if (total == data.numExamples()) {
        score(MiniBatch.range(data, from, size), tally::add);
      } else {
        long[] examples = IntStream.range(0, size).mapToLong(i -> order.at(first + i)).toArray();
        score(MiniBatch.of(data, examples), tally::add);
      }
    }
    return tally.result((System.nanoTime() - start) * 1e-9);
  }

  /** The best classes of a sample of the batch that was scored last, best first. */
  public List<Prediction> predictions(Labels labels, int sample) {
    var predictions = new ArrayList<Prediction>();
    BestClasses scorer = choice.current();
    for (int rank = 0; rank < scorer.size(sample); rank++) {
      double logit = scorer.logit(sample, rank);
      int classId = scorer.classId(sample, rank);
      predictions.add(
          new Prediction(
              classId,
              labels.label(classId),
              logit / loss.scale(),
              probability(scorer, sample, logit)));
    }
    return predictions;
  }

  private static OptionalDouble probability(BestClasses scorer, int sample, double logit) {
    return switch (scorer) {
      case ClassScorer exact -> OptionalDouble.of(Math.exp(logit - exact.logSumExp(sample)));
      case IndexedScorer _ -> OptionalDouble.empty();
    };
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

    void add(MiniBatch batch, Embeddings embeddings, BestClasses scorer) {
      Dataset data = batch.data();
      for (int i = 0; i < batch.size(); i++) {
        int rank = rankOfTarget(data, batch.example(i), scorer, i);
        int decile = deciles.of(batch.classIds()[i]);
        examples[decile]++;
        right[decile] += rank == 0 ? 1 : 0;
        rightInTopK += rank < scorer.k() ? 1 : 0;
        if (scorer instanceof ClassScorer exact) {
          totalLoss += lossOf(data, batch.example(i), exact, embeddings, i);
        }
      }
    }

    private double lossOf(
        Dataset data, long example, ClassScorer exact, Embeddings embeddings, int sample) {
      double targetLogits = 0;
      int numTargets = data.numTargets(example);
      for (int t = 0; t < numTargets; t++) {
        targetLogits += exact.logitOf(embeddings, sample, data.target(example, t), 0);
      }
      return exact.logSumExp(sample) - targetLogits / numTargets;
    }

    private int rankOfTarget(Dataset data, long example, BestClasses scorer, int sample) {
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
      BestClasses scorer = choice.current();
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
          scorer instanceof ClassScorer
              ? OptionalDouble.of(totalLoss / total)
              : OptionalDouble.empty(),
          List.copyOf(byDecile),
          seconds);
    }
  }

  @Override
  public void close() {
    choice.close();
    embeddings.close();
  }
}
