// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.util.Arrays;

/**
 * The classes that an index proposes for each sample of a batch, with their exact scores: inner
 * products of embedding and class weight, or cosines. Threads may fill different samples at once.
 */
public final class Candidates {
  private final int[][] classIds;
  private final float[][] scores;
  private final int[] sizes;

  /** For batches of up to {@code batchSize} samples. */
  public Candidates(int batchSize) {
    classIds = new int[batchSize][0];
    scores = new float[batchSize][0];
    sizes = new int[batchSize];
  }

  /** Makes room for {@code size} candidates of a sample, to be set next. */
  void resize(int sample, int size) {
    if (classIds[sample].length < size) {
      classIds[sample] = Arrays.copyOf(classIds[sample], size + size / 4);
      scores[sample] = Arrays.copyOf(scores[sample], size + size / 4);
    }
    sizes[sample] = size;
  }

  void set(int sample, int at, int classId, float score) {
    classIds[sample][at] = classId;
    scores[sample][at] = score;
  }

  /** The classes of a sample, to be written directly after {@link #resize}; may be longer. */
  int[] classIds(int sample) {
    return classIds[sample];
  }

  /** The scores of a sample, as {@link #classIds}. */
  float[] scores(int sample) {
    return scores[sample];
  }

  /** How many classes are proposed for a sample. */
  public int size(int sample) {
    return sizes[sample];
  }

  /** A class that is proposed for a sample; none is proposed twice. */
  public int classId(int sample, int at) {
    return classIds[sample][at];
  }

  /** The exact score of that class with the sample. */
  public float score(int sample, int at) {
    return scores[sample][at];
  }
}
