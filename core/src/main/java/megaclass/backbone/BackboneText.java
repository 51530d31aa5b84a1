// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import megaclass.internal.SpecText;

/** The texts of backbones. */
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
              });

  private BackboneText() {}
}
