// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;

/**
 * An index over class weights: finds the classes that score best with an embedding without looking
 * at all of them, and follows the weights while they are trained.
 *
 * <p>What it finds depends on the weights and on what it was told, not on threads. Not thread-safe,
 * but works with all threads itself; only {@link #moved} is called by several threads, for
 * different rows.
 */
public interface ClassIndex extends AutoCloseable {
  /** Indexes the weights as they are now. */
  void build();

  /**
   * Proposes classes for each sample of a batch.
   *
   * @param embeddings packed, (batch, dim)
   * @param effort how many times as much as usual to look at, at least 1: more classes are found
   * @param into receives the candidates of each sample, with exact scores
   */
  void search(Embeddings embeddings, int effort, Candidates into);

  /** Exact score of one class with one sample: their inner product, or the cosine. */
  float score(Embeddings embeddings, int sample, int classId);

  /**
   * Takes note of a class weight that has moved.
   *
   * @param worker the thread that calls, in [0, threads)
   */
  void moved(int classId, int worker);

  /** Repairs a part of the index, at the end of a step, so that nothing stays stale for long. */
  void endStep(long step);

  /** What a checkpoint has to keep, by name. */
  Map<String, MemorySegment> state();

  /**
   * Becomes the index that gave {@link #state}, over the weights as they are now.
   *
   * @param sections what it gave, by name
   */
  void restore(Function<String, MemorySegment> sections);

  @Override
  void close();
}
