// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import megaclass.image.Augmentation;
import megaclass.internal.Check;

/**
 * How a {@link BackboneSpec.Network} is trained; its learning rate comes with each step.
 *
 * @param optimizer how its parameters move
 * @param clip length that the gradient by all parameters is cut to, above 0; {@link #NO_CLIP} for
 *     never
 * @param precision what its layers compute in
 * @param augmentation how images are changed before each step
 */
public record NetworkTraining(
    NetworkOptimizer optimizer, double clip, Precision precision, Augmentation augmentation) {
  /** What layers compute in. */
  public enum Precision {
    /** Single precision throughout. */
    FP32,
    /**
     * Convolutions and products in bf16, where that is fast and safe ("autocast"); parameters and
     * their gradients stay fp32.
     */
    BF16
  }

  /** Never cuts a gradient. */
  public static final double NO_CLIP = Double.MAX_VALUE;

  /** Checks the ranges. */
  public NetworkTraining {
    Check.positive("clip", clip);
  }

  /** Momentum, single precision, images as they are. */
  public static NetworkTraining defaults() {
    return new NetworkTraining(
        new NetworkOptimizer.Sgd(0.9, false, 5e-4), NO_CLIP, Precision.FP32, Augmentation.NONE);
  }

  /** The same with another optimizer. */
  public NetworkTraining withOptimizer(NetworkOptimizer other) {
    return new NetworkTraining(other, clip, precision, augmentation);
  }

  /** The same with another clip. */
  public NetworkTraining withClip(double other) {
    return new NetworkTraining(optimizer, other, precision, augmentation);
  }

  /** The same with another precision. */
  public NetworkTraining withPrecision(Precision other) {
    return new NetworkTraining(optimizer, clip, other, augmentation);
  }

  /** The same with another augmentation. */
  public NetworkTraining withAugmentation(Augmentation other) {
    return new NetworkTraining(optimizer, clip, precision, other);
  }
}
