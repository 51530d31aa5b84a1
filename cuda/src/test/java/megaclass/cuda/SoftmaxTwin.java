// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import megaclass.loss.Loss;

/**
 * What the kernels of {@code softmax.cu} compute, in plain loops and in double.
 *
 * @param losses of each sample, (samples)
 * @param logits (samples, numActive)
 * @param gradients of the mean loss over {@code batch} samples by the products, (samples,
 *     numActive)
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares twins
record SoftmaxTwin(double[] losses, double[][] logits, double[][] gradients) {
  /**
   * Computes a softmax.
   *
   * @param products of embeddings and rows, (samples, numActive)
   * @param logWeights (numActive)
   * @param targets positions, (samples)
   */
  static SoftmaxTwin of(
      Loss loss, float[][] products, float[] logWeights, int[] targets, int batch) {
    int samples = products.length;
    double[] losses = new double[samples];
    double[][] logits = new double[samples][logWeights.length];
    double[][] gradients = new double[samples][logWeights.length];
    for (int i = 0; i < samples; i++) {
      int target = targets[i];
      double cosine = products[i][target];
      for (int j = 0; j < logWeights.length; j++) {
        double logit = j == target ? loss.targetLogit(cosine) : loss.scale() * products[i][j];
        logits[i][j] = logit + logWeights[j];
      }
      double logSum = logSumExp(logits[i], loss.separateTarget() ? target : -1);
      for (int j = 0; j < logWeights.length; j++) {
        gradients[i][j] = Math.exp(logits[i][j] - logSum) * loss.scale() / batch;
      }
      double logit = logits[i][target];
      losses[i] = logSum - logit;
      double slope = Math.expm1(logit - logSum);
      if (loss instanceof Loss.DSoftmax(double scale, double d)) {
        losses[i] = Math.log1p(Math.exp(scale * d - logit)) + logSum;
        slope = -1 / (1 + Math.exp(logit - scale * d));
      }
      gradients[i][target] = slope * loss.targetDerivative(cosine) / batch;
    }
    return new SoftmaxTwin(losses, logits, gradients);
  }

  /** Of all logits, or of those but one, which becomes 0. */
  private static double logSumExp(double[] logits, int but) {
    double max = but < 0 ? Double.NEGATIVE_INFINITY : 0;
    for (int j = 0; j < logits.length; j++) {
      max = j == but ? max : Math.max(max, logits[j]);
    }
    double sum = 0;
    for (int j = 0; j < logits.length; j++) {
      sum += Math.exp((j == but ? 0 : logits[j]) - max);
    }
    return max + Math.log(sum);
  }
}
