// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import megaclass.internal.SpecText;

/** The texts of backbones and of the optimizers of networks. */
final class BackboneText {
  static final SpecText<BackboneSpec> FORMS =
      SpecText.<BackboneSpec>of("backbone")
          .form("frozen", "frozen", _ -> new BackboneSpec.Frozen())
          .form(
              "bag(chars=2-6, words=1, buckets=2097152, dropout=0.4)",
              "bag(chars=2-5, dropout=0.3)",
              a -> {
                int[] chars = a.integerRange("chars");
                return new BackboneSpec.Bag(
                    new BackboneSpec.CharLengths(chars[0], chars[1]),
                    a.integer("words"),
                    a.integer("buckets"),
                    a.number("dropout"));
              })
          .form(
              "smallnet(width=32, dropout=0)",
              "smallnet(width=16)",
              a -> new BackboneSpec.SmallNet(a.integer("width"), a.number("dropout")))
          .form(
              "resnet(depth=18, dropout=0)",
              "resnet(50)",
              a -> new BackboneSpec.ResNet(a.integer("depth"), a.number("dropout")))
          .form(
              "iresnet(depth=18, dropout=0)",
              "iresnet(50)",
              a -> new BackboneSpec.FaceResNet(a.integer("depth"), a.number("dropout")))
          .form("hynet(dropout=0.5)", "hynet", a -> new BackboneSpec.Hynet(a.number("dropout")))
          .form(
              "torchscript(file)",
              "torchscript(encoder.pt)",
              a -> new BackboneSpec.TorchScript(a.text("file")));

  static final SpecText<NetworkOptimizer> OPTIMIZERS =
      SpecText.<NetworkOptimizer>of("optimizer of a network")
          .form(
              "sgd(momentum=0.9, nesterov=false, decay=5e-4)",
              "sgd(momentum=0.9, decay=1e-4)",
              a ->
                  new NetworkOptimizer.Sgd(
                      a.number("momentum"), a.flag("nesterov"), a.number("decay")))
          .form(
              "adam(beta1=0.9, beta2=0.999, epsilon=1e-8, decay=0)",
              "adam(decay=0.01)",
              a ->
                  new NetworkOptimizer.Adam(
                      a.number("beta1"),
                      a.number("beta2"),
                      a.number("epsilon"),
                      a.number("decay")));

  private BackboneText() {}
}
