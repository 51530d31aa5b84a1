// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import megaclass.internal.SpecText;

/** The texts of losses. Defaults are the usual values of the papers' code. */
final class LossText {
  static final SpecText<Loss> FORMS =
      SpecText.<Loss>of("loss")
          .form("softmax(bias=false)", "softmax", a -> new Loss.Softmax(a.flag("bias")))
          .form(
              "normsoftmax(scale=16)",
              "normsoftmax(scale=30)",
              a -> new Loss.NormalisedSoftmax(a.number("scale")))
          .form(
              "cosface(scale=64, margin=0.4)",
              "cosface(scale=30, margin=0.2)",
              a -> new Loss.CosFace(a.number("scale"), a.number("margin")))
          .form(
              "arcface(scale=64, margin=0.5, backward=exact)",
              "arcface(scale=64, margin=0.5)",
              a ->
                  new Loss.ArcFace(
                      a.number("scale"),
                      a.number("margin"),
                      a.choice("backward", Loss.Backward.class)))
          .form(
              "dsoftmax(scale=64, d=0.9)",
              "dsoftmax(scale=16, d=0.5)",
              a -> new Loss.DSoftmax(a.number("scale"), a.number("d")));

  private LossText() {}
}
