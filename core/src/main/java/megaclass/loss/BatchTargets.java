// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import java.util.Arrays;
import megaclass.select.ActiveClasses;

/**
 * The targets of a part of a batch, found by the tile they fall in: what is special about the logit
 * of a sample's own class is done here, one sample at a time and in double.
 *
 * <p>Each sample has one target in one tile, so threads that work on different tiles write
 * different entries.
 */
final class BatchTargets {
  private final Loss loss;

  /** Samples ordered by tile, then number: tile * 2^32 + sample. */
  private final long[] byTile;

  private final int[] rowInTile;
  private final double[] cosine;
  private final double[] logit;

  /** The targets of {@code size} samples. */
  BatchTargets(Loss loss, ActiveClasses active, int size, int tileRows) {
    this.loss = loss;
    byTile = new long[size];
    rowInTile = new int[size];
    cosine = new double[size];
    logit = new double[size];
    for (int i = 0; i < size; i++) {
      int position = active.targetPosition(i);
      byTile[i] = (long) (position / tileRows) << 32 | i;
      rowInTile[i] = position % tileRows;
    }
    Arrays.sort(byTile);
  }

  /** Index of the first target in {@code tile} or later; targets of a tile are consecutive. */
  int firstIn(int tile) {
    int found = Arrays.binarySearch(byTile, (long) tile << 32);
    return found < 0 ? -found - 1 : found;
  }

  /** The sample of a target index. */
  int sample(int index) {
    return (int) byTile[index];
  }

  /** Row of a sample's target inside its tile. */
  int row(int sample) {
    return rowInTile[sample];
  }

  /**
   * Puts the margin on a target.
   *
   * @param plain scale * cosine, without log weight (inner product where nothing is normalised)
   * @param logWeight of the target's class
   * @return the logit that takes part in the sum; -infinity when the target leaves it
   */
  float apply(int sample, double plain, double logWeight) {
    cosine[sample] = plain / loss.scale();
    logit[sample] = loss.targetLogit(cosine[sample]) + logWeight;
    return loss.separateTarget() ? Float.NEGATIVE_INFINITY : (float) logit[sample];
  }

  /** The logit that takes part in the sum, as {@link #apply} returned it. */
  float inSum(int sample) {
    return loss.separateTarget() ? Float.NEGATIVE_INFINITY : (float) logit[sample];
  }

  /** Loss of a sample, in nats. */
  double loss(int sample, double logSumExp) {
    return switch (loss) {
      case Loss.DSoftmax(double scale, double d) -> softplus(scale * d - logit[sample]) + logSumExp;
      case Loss.Softmax _, Loss.NormalisedSoftmax _, Loss.CosFace _, Loss.ArcFace _ ->
          logSumExp - logit[sample];
    };
  }

  /** Derivative of a sample's loss by its target's cosine, divided by the scale. */
  double gradient(int sample, double logSumExp) {
    double byLogit =
        switch (loss) {
          case Loss.DSoftmax(double scale, double d) ->
              -1 / (1 + Math.exp(logit[sample] - scale * d));
          case Loss.Softmax _, Loss.NormalisedSoftmax _, Loss.CosFace _, Loss.ArcFace _ ->
              Math.expm1(logit[sample] - logSumExp);
        };
    return byLogit * loss.targetDerivative(cosine[sample]) / loss.scale();
  }

  /** log(1 + exp(x)) without overflow. */
  private static double softplus(double x) {
    return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  }
}
