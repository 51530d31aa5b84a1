// SPDX-License-Identifier: Apache-2.0
package megaclass.eval;

import megaclass.backbone.Embeddings;

/**
 * Finds the best classes of each sample of a batch: among all ({@link ClassScorer}), or through an
 * index ({@link IndexedScorer}). Logits are exact either way; only the first knows log Z, which
 * takes the logits of all classes.
 *
 * <p>Not thread-safe, but works with all threads itself.
 */
public sealed interface BestClasses extends AutoCloseable permits ClassScorer, IndexedScorer {
  /** How many classes are kept of each sample. */
  int k();

  /** The most samples that a batch may have. */
  int batchSize();

  /**
   * Scores a batch.
   *
   * @param embeddings packed, (batch, dim), of at most {@link #batchSize} samples
   */
  void score(Embeddings embeddings);

  /** How many classes were kept of a sample: k, or fewer when no more were found. */
  int size(int sample);

  /** Class id of a rank of a sample, best first; among equal logits the smaller id first. */
  int classId(int sample, int rank);

  /** Logit of a rank of a sample, without margin. */
  double logit(int sample, int rank);

  @Override
  void close();
}
