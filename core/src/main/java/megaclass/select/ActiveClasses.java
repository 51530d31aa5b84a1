// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The classes that take part in the softmax of one mini-batch, in ascending order of their ids;
 * every target is among them, none twice. In the literature: active (HF-Softmax, KNN-Softmax),
 * sampled (Partial FC) or important (ANN Softmax) classes. Immutable.
 */
public final class ActiveClasses {
  private final int numActive;
  private final int @Nullable [] classIds;
  private final float @Nullable [] logWeights;
  private final int[] targetPositions;

  private ActiveClasses(
      int numActive,
      int @Nullable [] classIds,
      float @Nullable [] logWeights,
      int[] targetPositions) {
    this.numActive = numActive;
    this.classIds = classIds;
    this.logWeights = logWeights;
    this.targetPositions = targetPositions;
  }

  /**
   * All classes, each for itself.
   *
   * @param targets class id of each sample, (batch)
   */
  public static ActiveClasses all(int numClasses, int[] targets) {
    return new ActiveClasses(numClasses, null, null, targets.clone());
  }

  /**
   * Some classes.
   *
   * @param classIds ascending, without duplicates; not copied
   * @param logWeights what is added to the logit of each, (numActive), or null for 0; not copied
   * @param targets class id of each sample, (batch), each among {@code classIds}
   * @throws IllegalArgumentException when a target is missing
   */
  public static ActiveClasses of(int[] classIds, float @Nullable [] logWeights, int[] targets) {
    int[] positions = new int[targets.length];
    for (int i = 0; i < targets.length; i++) {
      positions[i] = Arrays.binarySearch(classIds, targets[i]);
      if (positions[i] < 0) {
        throw new IllegalArgumentException(
            "target %d of sample %d is not among the active classes; a selector must take in all"
                    .formatted(targets[i], i)
                + " targets");
      }
    }
    return new ActiveClasses(classIds.length, classIds, logWeights, positions);
  }

  /** How many. */
  public int numActive() {
    return numActive;
  }

  /** Class id at a position in [0, numActive). */
  public int classId(int position) {
    return classIds == null ? position : classIds[position];
  }

  /** What is added to the logit: 0, or log((N - |S|) / m) for a class that stands for others. */
  public float logWeight(int position) {
    return logWeights == null ? 0f : logWeights[position];
  }

  /** Position of the target of a sample. */
  public int targetPosition(int sample) {
    return targetPositions[sample];
  }
}
