// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import megaclass.internal.Check;
import megaclass.internal.SpecText;

/**
 * A loss over the active classes of a mini-batch, for one target per example.
 *
 * <p>With {@code c_j} the cosine (or, for {@link Softmax}, the inner product) of an embedding and
 * class weight j, and {@code lw_j} the log weight of class j, the logits are {@code scale * c_j +
 * lw_j}, but {@code targetLogit(c_y) + lw_y} for the target y. The loss is {@code -log softmax_y}
 * of these logits, its mean over the batch is minimised. Only {@link DSoftmax} differs, see there.
 *
 * <p>The text of a loss, as in configurations and logs, is {@code arcface(scale=64, margin=0.5,
 * backward=exact)}; {@code parse(loss.toString())} equals the loss. Where papers differ in words:
 * the scale is s or the radius, 1/scale is the temperature tau, the margin is m (m2 of insightface
 * for ArcFace, m3 for CosFace).
 *
 * <p>Losses are immutable values and may be used from any thread.
 */
public sealed interface Loss {

  /** Which derivative of the target logit ArcFace uses. The value of the loss is the same. */
  enum Backward {
    /** The derivative of the formula: sin(theta + m) / sin(theta). */
    EXACT,
    /** 1, as if the margin were a constant shift; what insightface's code does since 2022. */
    STRAIGHT_THROUGH
  }

  /**
   * Softmax cross entropy over inner products.
   *
   * @param bias whether each class has a bias, which is added to its inner product
   */
  record Softmax(boolean bias) implements Loss {
    @Override
    public String toString() {
      return "softmax(bias=%s)".formatted(bias);
    }
  }

  /**
   * Softmax cross entropy over scaled cosines (NormFace: Wang et al. 2017).
   *
   * @param scale factor from cosine to logit, above 0
   */
  record NormalisedSoftmax(double scale) implements Loss {
    public NormalisedSoftmax {
      Check.positive("scale", scale);
    }

    @Override
    public String toString() {
      return "normsoftmax(scale=%s)".formatted(SpecText.text(scale));
    }
  }

  /**
   * Additive cosine margin: the target logit is {@code scale * (c - margin)} (Wang et al. 2018, eq.
   * 4; AM-Softmax).
   *
   * @param scale factor from cosine to logit, above 0
   * @param margin taken off the target's cosine, in [0, 1]
   */
  record CosFace(double scale, double margin) implements Loss {
    public CosFace {
      Check.positive("scale", scale);
      Check.inRange("margin", margin, 0.0, 1.0);
    }

    @Override
    public String toString() {
      return "cosface(scale=%s, margin=%s)".formatted(SpecText.text(scale), SpecText.text(margin));
    }
  }

  /**
   * Additive angular margin: the target logit is {@code scale * psi(c)} with {@code psi(c) =
   * cos(theta + m)}, {@code theta = acos(c)} (Deng et al. 2019, eq. 3).
   *
   * <pre>
   * psi(c)  = c cos m - sqrt(1 - c^2) sin m    while theta + m &lt;= pi, that is c &gt; cos(pi - m)
   *         = c - m sin(pi - m)                beyond: the fallback, which keeps the slope positive
   * psi'(c) = sin(theta + m) / sin(theta) = cos m + c sin m / sqrt(1 - c^2); in the fallback 1
   * </pre>
   *
   * psi jumps at {@code c = cos(pi - m)}, from -1 to -cos m - m sin m. psi' grows without bound as
   * c nears 1; it is therefore taken at most at {@code c = 1 - 1e-7}, the resolution of a float32
   * cosine. Cosines outside [-1, 1], which rounding makes, count as -1 or 1.
   *
   * @param scale factor from cosine to logit, above 0
   * @param margin m, added to the target's angle, in radians, in [0, pi/2]
   * @param backward whether the gradient is that of the formula, or passes the margin by
   */
  record ArcFace(double scale, double margin, Backward backward) implements Loss {
    private static final double LARGEST_COSINE = 1.0 - 1e-7;

    public ArcFace {
      Check.positive("scale", scale);
      Check.inRange("margin (radians)", margin, 0.0, Math.PI / 2);
    }

    private double psi(double cosine) {
      double c = Math.clamp(cosine, -1.0, 1.0);
      return isFallback(c)
          ? c - margin * Math.sin(margin)
          : c * Math.cos(margin) - Math.sqrt((1.0 - c) * (1.0 + c)) * Math.sin(margin);
    }

    private double psiDerivative(double cosine) {
      if (backward == Backward.STRAIGHT_THROUGH || isFallback(cosine)) {
        return 1.0;
      }
      double c = Math.min(cosine, LARGEST_COSINE);
      return Math.cos(margin) + c * Math.sin(margin) / Math.sqrt((1.0 - c) * (1.0 + c));
    }

    /** Whether theta + m reaches beyond pi; {@code cos(pi - m) = -cos m}. */
    private boolean isFallback(double cosine) {
      return cosine <= -Math.cos(margin);
    }

    @Override
    public String toString() {
      return "arcface(scale=%s, margin=%s, backward=%s)"
          .formatted(SpecText.text(scale), SpecText.text(margin), SpecText.text(backward));
    }
  }

  /**
   * D-Softmax: two separate terms, which pull the target up to an end point and push the others
   * down (He et al. 2020).
   *
   * <pre>
   * L = log(1 + exp(scale * (d - c_y))) + log(1 + sum over active j != y of exp(scale * c_j + lw_j))
   * </pre>
   *
   * It is no softmax over the active classes: the target leaves the sum, and the sum gets a
   * constant 1.
   *
   * @param scale factor from cosine to logit, above 0
   * @param d the end point: the target's cosine at which its pull is half as strong, in [-1, 1]
   */
  record DSoftmax(double scale, double d) implements Loss {
    public DSoftmax {
      Check.positive("scale", scale);
      Check.inRange("d", d, -1.0, 1.0);
    }

    @Override
    public String toString() {
      return "dsoftmax(scale=%s, d=%s)".formatted(SpecText.text(scale), SpecText.text(d));
    }
  }

  /** Additive angular margin in radians, with the exact gradient. */
  static Loss arcFace(double scale, double margin) {
    return new ArcFace(scale, margin, Backward.EXACT);
  }

  /** Additive cosine margin. */
  static Loss cosFace(double scale, double margin) {
    return new CosFace(scale, margin);
  }

  /** Softmax cross entropy over scaled cosines. */
  static Loss normalisedSoftmax(double scale) {
    return new NormalisedSoftmax(scale);
  }

  /** Softmax cross entropy over inner products, without bias. */
  static Loss softmax() {
    return new Softmax(false);
  }

  /**
   * Reads the text of a loss.
   *
   * @throws IllegalArgumentException when it is none of the forms, which the message lists
   */
  static Loss parse(String text) {
    return LossText.FORMS.parse(text);
  }

  /** Whether embeddings and class weights are taken at unit length, so that logits are cosines. */
  default boolean normalised() {
    return !(this instanceof Softmax);
  }

  /** Whether each class has a bias. */
  default boolean bias() {
    return false;
  }

  /** Whether the target leaves the sum over the active classes, see {@link DSoftmax}. */
  default boolean separateTarget() {
    return this instanceof DSoftmax;
  }

  /** Factor from cosine to logit of a class that is not the target; 1 for {@link Softmax}. */
  default double scale() {
    return 1.0;
  }

  /**
   * The target's logit, before its log weight is added.
   *
   * @param cosine cosine, or inner product for {@link Softmax}, of embedding and target weight
   */
  default double targetLogit(double cosine) {
    return switch (this) {
      case Softmax _ -> cosine;
      case NormalisedSoftmax(double scale) -> scale * cosine;
      case CosFace(double scale, double margin) -> scale * (cosine - margin);
      case ArcFace arcFace -> arcFace.scale * arcFace.psi(cosine);
      case DSoftmax(double scale, double _) -> scale * cosine;
    };
  }

  /** What the backward pass takes as the derivative of {@link #targetLogit} by the cosine. */
  default double targetDerivative(double cosine) {
    return switch (this) {
      case ArcFace arcFace -> arcFace.scale * arcFace.psiDerivative(cosine);
      case Softmax _, NormalisedSoftmax _, CosFace _, DSoftmax _ -> scale();
    };
  }
}
