// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.util.Arrays;
import megaclass.backbone.Embeddings;
import megaclass.internal.Hash;
import org.jspecify.annotations.Nullable;

/**
 * The choice of another selector plus uniform draws from the rest, each of which stands for many:
 * with S the chosen set and m draws, log((N - |S|) / m) is added to the logit of a draw, and the
 * estimate of Z is unbiased whatever the quality of S (methods: "tail correction").
 */
final class TailedClasses extends AddedSelector {
  private static final long TAIL = 0x7461696c;

  private final int numClasses;
  private final double share;
  private final long seed;

  /**
   * Adds a tail.
   *
   * @param share draws as a share of the classes that {@code base} chooses
   */
  TailedClasses(ClassSelector base, int numClasses, double share, long seed) {
    super(base);
    this.numClasses = numClasses;
    this.share = share;
    this.seed = seed;
  }

  @Override
  public ActiveClasses select(Embeddings embeddings, int[] targets, long draw) {
    ActiveClasses chosen = base.select(embeddings, targets, draw);
    int wanted =
        (int) Math.min(numClasses, chosen.numActive() + Math.round(share * chosen.numActive()));
    if (wanted == chosen.numActive()) {
      return chosen;
    }
    int[] chosenIds = new int[chosen.numActive()];
    Arrays.setAll(chosenIds, chosen::classId);
    int[] ids =
        new ClassSet(wanted)
            .addAll(chosenIds)
            .fillUniformly(wanted, numClasses, Hash.key(seed, draw, TAIL))
            .sorted();
    return ActiveClasses.of(ids, logWeights(ids, chosenIds, numClasses), targets);
  }

  /**
   * Log weights when the ids beyond {@code chosen} are uniform draws from the classes beyond it.
   *
   * @param ids ascending, (numActive)
   * @param chosen ascending, those of {@code ids} that stand for themselves
   * @return (numActive), or null when there are no draws
   */
  static float @Nullable [] logWeights(int[] ids, int[] chosen, int numClasses) {
    int draws = ids.length - chosen.length;
    if (draws == 0) {
      return null;
    }
    float ofDraw = (float) Math.log((numClasses - chosen.length) / (double) draws);
    float[] weights = new float[ids.length];
    int next = 0;
    for (int j = 0; j < ids.length; j++) {
      if (next < chosen.length && chosen[next] == ids[j]) {
        next++;
      } else {
        weights[j] = ofDraw;
      }
    }
    return weights;
  }
}
