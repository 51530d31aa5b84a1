// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import megaclass.backbone.Embeddings;
import megaclass.loss.TileMemory.Tiles;
import megaclass.select.ActiveClasses;
import org.jspecify.annotations.Nullable;

/**
 * Samples with the same active classes, on their way from forward to backward: the whole batch, or
 * a group of it.
 *
 * @param samples their numbers in the batch; null for the whole batch
 * @param embeddings of the part alone; groups share them, and each gathers its rows before use
 * @param active classes of the part
 * @param targets of the part
 * @param scales of each active class: what makes an inner product with its row a logit
 * @param logSumExp log Z of each sample of the part
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares parts
record BatchPart(
    int @Nullable [] samples,
    Embeddings embeddings,
    ActiveClasses active,
    Tiles tiles,
    BatchTargets targets,
    float[] scales,
    double[] logSumExp) {

  int size() {
    return logSumExp.length;
  }

  /** Number in the batch of a sample of this part. */
  int sample(int i) {
    return samples == null ? i : samples[i];
  }

  /** Makes {@link #embeddings} those of this part. */
  void gather(Embeddings batch) {
    if (samples != null) {
      embeddings.gather(batch, samples);
    }
  }

  /** Turns a chunk's sums into gradient rows of the batch. */
  void finishGradient(long[] partials, Embeddings batch) {
    embeddings.finishGradient(partials);
    if (samples != null) {
      embeddings.scatterGradient(samples, batch);
    }
  }
}
