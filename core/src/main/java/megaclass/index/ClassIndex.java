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

  /** Repairs or renews a part of the index, at the end of a step, before it grows too old. */
  void endStep(long step);

  /**
   * How old what serves is: steps since the weights were as the index knows them.
   *
   * @param step number of the step that asks, from 0
   * @return 0 for an index that follows the weights
   */
  default long age(long step) {
    return 0;
  }

  /**
   * How far class weights have gone since the index took note of them, relative to their length;
   * about, from a sample of classes. 0 for an index that follows the weights.
   */
  default double drift() {
    return 0;
  }

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
