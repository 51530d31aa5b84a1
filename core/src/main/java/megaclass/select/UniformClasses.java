// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import megaclass.backbone.Embeddings;
import megaclass.internal.Hash;

/**
 * The targets, filled up to a share of all classes by uniform draws without replacement: Partial FC
 * (An et al. 2021, CVPR 2022), but in time proportional to the draws, not to the classes.
 *
 * <p>As in Partial FC, every class stands for itself. {@code corrected} instead lets the draws
 * stand for all classes that are not targets: log((N - |S|) / m) is added to their logits, which
 * makes the estimate of Z unbiased (methods: "tail correction").
 */
final class UniformClasses implements ClassSelector {
  private final int numClasses;
  private final int numActive;
  private final boolean corrected;
  private final long seed;

  UniformClasses(int numClasses, double rate, boolean corrected, long seed) {
    this.numClasses = numClasses;
    this.numActive = Math.clamp(Math.round(rate * numClasses), 1, numClasses);
    this.corrected = corrected;
    this.seed = seed;
  }

  @Override
  public ActiveClasses select(Embeddings embeddings, int[] targets, long draw) {
    var set = new ClassSet(Math.max(numActive, targets.length)).addAll(targets);
    int[] distinctTargets = corrected ? set.sorted() : new int[0];
    int[] ids = fill(set, draw).sorted();
    float[] logWeights =
        corrected ? TailedClasses.logWeights(ids, distinctTargets, numClasses) : null;
    return ActiveClasses.of(ids, logWeights, targets);
  }

  private ClassSet fill(ClassSet set, long draw) {
    return set.fillUniformly(numActive, numClasses, Hash.key(seed, draw));
  }

  @Override
  public int[] foreseen(int[] targets, long draw) {
    return fill(new ClassSet(Math.max(numActive, targets.length)).addAll(targets), draw).sorted();
  }
}
