// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import java.util.Arrays;
import megaclass.internal.Check;

/**
 * The definition of every {@link Loss} and its gradients, in double precision and in plain loops.
 *
 * <p>It materialises all logits and is slow; it exists so that the fast paths have something to
 * agree with. The embeddings are called features here, since nothing stands below them.
 */
@SuppressWarnings("ArrayRecordComponent") // named arguments and results, which nobody compares
public final class LossDefinition {
  private LossDefinition() {}

  /**
   * The examples of a mini-batch.
   *
   * @param features (batch, dim)
   * @param classIds (batch), the target of each example
   */
  public record Batch(double[][] features, int[] classIds) {}

  /**
   * What is learned per class.
   *
   * @param weights (numClasses, dim)
   * @param bias (numClasses), or (0) when the loss has none
   */
  public record Head(double[][] weights, double[] bias) {}

  /**
   * The classes that take part.
   *
   * @param classIds (numActive), each at most once, the targets among them
   * @param logWeights (numActive), added to the logits: 0 for a class that stands for itself
   */
  public record Active(int[] classIds, double[] logWeights) {}

  /**
   * Loss and gradients of the mean loss.
   *
   * @param losses (batch)
   * @param meanLoss mean of {@code losses}
   * @param logits (batch, numActive), after margin, scale and log weight
   * @param featureGradients (batch, dim)
   * @param weightGradients (numClasses, dim), zero rows for classes that are not active
   * @param biasGradients (numClasses), or (0) when the loss has no bias
   */
  public record Result(
      double[] losses,
      double meanLoss,
      double[][] logits,
      double[][] featureGradients,
      double[][] weightGradients,
      double[] biasGradients) {}

  /**
   * Computes the loss of a mini-batch and the gradients of its mean.
   *
   * @throws IllegalArgumentException when the batch is empty, a target is not active, the presence
   *     of a bias does not fit the loss, or an example or active class has length 0 under a
   *     normalised loss
   */
  public static Result lossAndGradient(Loss loss, Batch batch, Head head, Active active) {
    if (loss.bias() != (head.bias().length > 0)) {
      throw new IllegalArgumentException(
          loss + (loss.bias() ? " needs a bias for each class" : " takes no bias"));
    }
    Check.positive("number of examples", batch.features().length);
    double[][] x = new double[batch.features().length][];
    for (int i = 0; i < x.length; i++) {
      double[] row = batch.features()[i];
      x[i] = loss.normalised() ? unit("example " + i, row) : row;
    }
    double[][] w = new double[active.classIds().length][];
    for (int j = 0; j < w.length; j++) {
      int classId = active.classIds()[j];
      double[] row = head.weights()[classId];
      w[j] = loss.normalised() ? unit("weight of class " + classId, row) : row;
    }
    double[] losses = new double[x.length];
    double[][] logits = new double[x.length][w.length];
    double[][] gradients = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      int target = positionOfTarget(batch.classIds()[i], active.classIds());
      double[] slopes = new double[w.length];
      for (int j = 0; j < w.length; j++) {
        double bias = loss.bias() ? head.bias()[active.classIds()[j]] : 0.0;
        double cosine = dot(x[i], w[j]) + bias;
        double logit = j == target ? loss.targetLogit(cosine) : loss.scale() * cosine;
        logits[i][j] = logit + active.logWeights()[j];
        slopes[j] = j == target ? loss.targetDerivative(cosine) : loss.scale();
      }
      losses[i] = exampleLoss(loss, logits[i], target);
      gradients[i] = logitGradient(loss, logits[i], target);
      for (int j = 0; j < w.length; j++) {
        gradients[i][j] *= slopes[j] / x.length;
      }
    }
    double mean = Arrays.stream(losses).sum() / losses.length;
    double[][] gx = new double[x.length][batch.features()[0].length];
    double[][] gw = new double[head.weights().length][gx[0].length];
    double[] gb = new double[head.bias().length];
    backward(gradients, x, w, active, gx, gw, gb);
    if (loss.normalised()) {
      for (int i = 0; i < x.length; i++) {
        throughNormalisationInPlace(gx[i], x[i], length(batch.features()[i]));
      }
      for (int j = 0; j < w.length; j++) {
        int classId = active.classIds()[j];
        throughNormalisationInPlace(gw[classId], w[j], length(head.weights()[classId]));
      }
    }
    return new Result(losses, mean, logits, gx, gw, gb);
  }

  /** The loss of one example from its logits (numActive). */
  private static double exampleLoss(Loss loss, double[] logits, int target) {
    return switch (loss) {
      case Loss.DSoftmax(double scale, double d) ->
          softplus(scale * d - logits[target]) + logSumExp(withoutTarget(logits, target));
      case Loss.Softmax _, Loss.NormalisedSoftmax _, Loss.CosFace _, Loss.ArcFace _ ->
          logSumExp(logits) - logits[target];
    };
  }

  /**
   * The derivatives (numActive) of the loss of one example by its logits (numActive): p_j for a
   * class that is not the target and, for the target, p_y - 1, or the slope of D-Softmax's own
   * term.
   */
  private static double[] logitGradient(Loss loss, double[] logits, int target) {
    double logSum = logSumExp(loss.separateTarget() ? withoutTarget(logits, target) : logits);
    double[] gradient = new double[logits.length];
    double others = 0.0;
    for (int j = 0; j < logits.length; j++) {
      if (j != target) {
        gradient[j] = Math.exp(logits[j] - logSum);
        others += gradient[j];
      }
    }
    gradient[target] =
        switch (loss) {
          case Loss.DSoftmax(double scale, double d) ->
              -1.0 / (1.0 + Math.exp(logits[target] - scale * d));
          case Loss.Softmax _, Loss.NormalisedSoftmax _, Loss.CosFace _, Loss.ArcFace _ -> -others;
        };
    return gradient;
  }

  /** The logits with 0 in the target's place: the constant 1 of D-Softmax's sum. */
  private static double[] withoutTarget(double[] logits, int target) {
    double[] others = logits.clone();
    others[target] = 0.0;
    return others;
  }

  /**
   * Gradients by features, active class weights and biases from those by the cosines.
   *
   * @param gradients (batch, numActive), derivatives of the mean loss by the cosines
   * @param x (batch, dim)
   * @param w (numActive, dim)
   * @param intoX (batch, dim)
   * @param intoW (numClasses, dim)
   * @param intoB (numClasses), or (0)
   */
  private static void backward(
      double[][] gradients,
      double[][] x,
      double[][] w,
      Active active,
      double[][] intoX,
      double[][] intoW,
      double[] intoB) {
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < w.length; j++) {
        int classId = active.classIds()[j];
        for (int k = 0; k < x[i].length; k++) {
          intoX[i][k] += gradients[i][j] * w[j][k];
          intoW[classId][k] += gradients[i][j] * x[i][k];
        }
        if (intoB.length > 0) {
          intoB[classId] += gradients[i][j];
        }
      }
    }
  }

  /**
   * Turns the gradient by a unit row into the gradient by the row before normalisation: {@code (g -
   * (g . unit) unit) / length}.
   *
   * @param gradient (dim), changed
   * @param unit (dim), the row after normalisation
   */
  static void throughNormalisationInPlace(double[] gradient, double[] unit, double length) {
    double along = dot(gradient, unit);
    for (int k = 0; k < gradient.length; k++) {
      gradient[k] = (gradient[k] - along * unit[k]) / length;
    }
  }

  private static double[] unit(String what, double[] row) {
    double length = length(row);
    if (length == 0.0) {
      throw new IllegalArgumentException(
          what + " has length 0, so it has no cosine; leave it out or use the loss softmax");
    }
    return Arrays.stream(row).map(value -> value / length).toArray();
  }

  private static int positionOfTarget(int classId, int[] activeIds) {
    for (int j = 0; j < activeIds.length; j++) {
      if (activeIds[j] == classId) {
        return j;
      }
    }
    throw new IllegalArgumentException("class " + classId + " is a target but is not active");
  }

  private static double logSumExp(double[] logits) {
    double max = Arrays.stream(logits).max().orElseThrow();
    double sum = 0.0;
    for (double logit : logits) {
      sum += Math.exp(logit - max);
    }
    return max + Math.log(sum);
  }

  /** log(1 + exp(t)) without overflow. */
  private static double softplus(double t) {
    return Math.max(t, 0.0) + Math.log1p(Math.exp(-Math.abs(t)));
  }

  private static double length(double[] row) {
    return Math.sqrt(dot(row, row));
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0.0;
    for (int k = 0; k < a.length; k++) {
      sum += a[k] * b[k];
    }
    return sum;
  }
}
