// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import megaclass.backbone.BackboneSpec.Bag;
import megaclass.backbone.BackboneSpec.CharLengths;
import megaclass.backbone.BackboneSpec.Frozen;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class BackboneSpecTest {
  private static final String BAG =
      """
      ; expected
        bag(chars=2-6, words=1, buckets=2097152, dropout=0.4)  e.g. bag(chars=2-5, dropout=0.3)\
      """;

  @Property
  void everyBackboneReadsBackFromItsText(@ForAll("backbones") BackboneSpec spec) {
    assertEquals(spec, BackboneSpec.parse(spec.toString()));
  }

  @Provide
  Arbitrary<BackboneSpec> backbones() {
    var chars =
        Arbitraries.integers()
            .between(1, 32)
            .flatMap(
                max ->
                    Arbitraries.integers().between(1, max).map(min -> new CharLengths(min, max)));
    var words = Arbitraries.integers().between(0, 5);
    var buckets = Arbitraries.integers().between(1, 1 << 30);
    var dropouts = Arbitraries.doubles().between(0.0, true, 1.0, false).ofScale(12);
    return Arbitraries.oneOf(
        Arbitraries.of(new Frozen(), new Bag(new CharLengths(0, 0), 1, 1000, 0.0)),
        Combinators.combine(chars, words, buckets, dropouts).as(Bag::new));
  }

  @Test
  void textsAreCanonicalWithEveryParameter() {
    assertEquals("frozen", BackboneSpec.parse("frozen").toString());
    assertEquals(
        "bag(chars=2-6, words=1, buckets=2097152, dropout=0.4)",
        BackboneSpec.parse("bag").toString());
    assertEquals(
        "bag(chars=3-3, words=0, buckets=100, dropout=0)",
        BackboneSpec.parse("bag(3-3, 0, 100, 0)").toString());
  }

  @Test
  void unknownBackbonesAreAnsweredWithTheForms() {
    assertMessage(
        """
        cannot read backbone "bags": unknown name "bags" at character 1 (did you mean "bag"?); \
        expected one of
          frozen
          bag(chars=2-6, words=1, buckets=2097152, dropout=0.4)  e.g. bag(chars=2-5, dropout=0.3)
          smallnet(width=32, dropout=0)                          e.g. smallnet(width=16)
          resnet(depth=18, dropout=0)                            e.g. resnet(50)
          iresnet(depth=18, dropout=0)                           e.g. iresnet(50)
          hynet(dropout=0.5)                                     e.g. hynet
          torchscript(FILE)                                      e.g. torchscript(encoder.pt)\
        """,
        () -> BackboneSpec.parse("bags"));
  }

  @Test
  void lengthsOfNGramsReadAsTwoNumbersThatRise() {
    assertMessage(
        "cannot read backbone \"bag(chars=5)\": chars must be two whole numbers with \"-\" between"
            + " them, but was \"5\" at character 11"
            + BAG,
        () -> BackboneSpec.parse("bag(chars=5)"));
    assertMessage(
        "cannot read backbone \"bag(chars=5-3)\": shortest of chars must be in [1, 3], but was 5"
            + BAG,
        () -> BackboneSpec.parse("bag(chars=5-3)"));
    assertMessage("shortest of chars must be in [1, 3], but was 0", () -> new CharLengths(0, 3));
    assertMessage("shortest of chars must be in [0, 0], but was 1", () -> new CharLengths(1, 0));
    assertMessage("longest of chars must be in [0, 32], but was 33", () -> new CharLengths(1, 33));
  }

  @Test
  void parametersOutsideTheirRangeAreNamed() {
    var chars = new CharLengths(2, 6);
    assertMessage("words must be in [0, 5], but was 6", () -> new Bag(chars, 6, 10, 0));
    assertMessage("buckets must be in [1, 1073741824], but was 0", () -> new Bag(chars, 1, 0, 0));
    assertMessage("dropout must be in [0.0, 1.0), but was 1.0", () -> new Bag(chars, 1, 10, 1));
    assertMessage(
        "a bag needs n-grams, but chars was 0-0 and words was 0; set one of them",
        () -> new Bag(new CharLengths(0, 0), 0, 10, 0));
  }

  private static void assertMessage(String expected, Executable action) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, action).getMessage());
  }
}
