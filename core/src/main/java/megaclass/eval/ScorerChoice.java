// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import java.util.stream.IntStream;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import org.jspecify.annotations.Nullable;

/**
 * The scorer of an evaluator: that of all classes, until an index that was asked for has shown on
 * some embeddings that it finds enough; then the index.
 *
 * <p>Embeddings to show it on come at once ({@link #decide}) or a few at a time ({@link #learn}),
 * as they are asked about. Until there are enough of them, answers are exact.
 */
final class ScorerChoice implements AutoCloseable {
  /** With fewer classes an index has nothing to save. */
  static final int MIN_CLASSES = 4096;

  private final Evaluator.Model model;
  private final int k;
  private final Engine engine;
  private final @Nullable Recall recall;
  private final ClassScorer exact;
  private final Embeddings.Shape shape;
  private BestClasses current;
  private boolean open;
  private boolean told;
  private @Nullable Embeddings seen;
  private int numSeen;

  /**
   * A choice.
   *
   * @param recall what an index has to find, or null to score all classes
   */
  ScorerChoice(Evaluator.Model model, int k, Engine engine, @Nullable Recall recall) {
    this.model = model;
    this.k = k;
    this.engine = engine;
    this.recall = recall;
    var loss = model.loss();
    shape = new Embeddings.Shape(model.weights().dim(), loss.normalised(), loss.bias());
    exact = new ClassScorer(model.weights(), loss, k, engine);
    current = exact;
    open = recall != null && model.weights().numClasses() >= MIN_CLASSES;
  }

  /** The scorer of the next batch. */
  BestClasses current() {
    return current;
  }

  /** What an embedding is to the loss. */
  Embeddings.Shape shape() {
    return shape;
  }

  /** The most samples that any batch will have. */
  int maxBatch() {
    return open ? Math.max(exact.batchSize(), IndexedScorer.MAX_BATCH) : exact.batchSize();
  }

  /** Whether an index may still be taken. */
  boolean isOpen() {
    return open;
  }

  /**
   * Takes an index if it finds enough of the best classes of these embeddings.
   *
   * @param sample packed, (batch, dim)
   */
  void decide(Embeddings sample) {
    if (!open || recall == null) {
      return;
    }
    open = false;
    forget();
    var indexed = new IndexedScorer(model.weights(), model.loss(), k, engine);
    try {
      ClassSearch chosen = indexed.choose(sample, recall.share(), exact);
      if (chosen instanceof ClassSearch.Indexed) {
        current = indexed;
      }
      told = true;
      recall.listener().accept(chosen);
    } finally {
      if (current != indexed) {
        indexed.close();
      }
    }
  }

  /**
   * Takes note of embeddings that were asked about, and decides when there are enough.
   *
   * @param batch packed, (batch, dim)
   */
  void learn(Embeddings batch) {
    if (!open) {
      return;
    }
    Embeddings into = seen;
    if (into == null) {
      into = new Embeddings(IndexedScorer.SAMPLES, shape, engine);
      into.begin(IndexedScorer.SAMPLES);
      seen = into;
    }
    ComputeBackend backend = engine.backend();
    for (int i = 0; i < batch.size() && numSeen < IndexedScorer.SAMPLES; i++) {
      backend.scaled(batch.row(i), 1f, batch.stride(), into.row(numSeen++));
    }
    if (numSeen == IndexedScorer.SAMPLES) {
      try (var sample = new Embeddings(numSeen, shape, engine)) {
        sample.gather(into, IntStream.range(0, numSeen).toArray());
        decide(sample);
      }
    }
  }

  /** Says once why all classes are scored although an index was asked for. */
  void tellExact() {
    if (recall == null || told) {
      return;
    }
    told = true;
    String reason =
        open
            ? "measuring what an index finds takes %d examples, and there are fewer"
                .formatted(IndexedScorer.SAMPLES)
            : "an index saves nothing with fewer than %d classes".formatted(MIN_CLASSES);
    recall.listener().accept(new ClassSearch.Exact(reason));
  }

  private void forget() {
    if (seen != null) {
      seen.close();
      seen = null;
    }
  }

  @Override
  public void close() {
    forget();
    if (current != exact) {
      current.close();
    }
    exact.close();
  }
}
