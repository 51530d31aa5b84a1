// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import megaclass.loss.Loss.ArcFace;
import megaclass.loss.Loss.Backward;
import megaclass.loss.Loss.CosFace;
import megaclass.loss.Loss.DSoftmax;
import megaclass.loss.Loss.NormalisedSoftmax;
import megaclass.loss.Loss.Softmax;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Scale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class LossTest {
  private static final String FORMS =
      """
      ; expected one of
        softmax(bias=false)                            e.g. softmax
        normsoftmax(scale=16)                          e.g. normsoftmax(scale=30)
        cosface(scale=64, margin=0.4)                  e.g. cosface(scale=30, margin=0.2)
        arcface(scale=64, margin=0.5, backward=exact)  e.g. arcface(scale=64, margin=0.5)
        dsoftmax(scale=64, d=0.9)                      e.g. dsoftmax(scale=16, d=0.5)\
      """;

  @Property
  void everyLossReadsBackFromItsText(@ForAll("losses") Loss loss) {
    assertEquals(loss, Loss.parse(loss.toString()));
  }

  @Provide
  Arbitrary<Loss> losses() {
    var scales = Arbitraries.doubles().between(1e-3, 1e6).ofScale(12);
    var shares = Arbitraries.doubles().between(0.0, 1.0).ofScale(12);
    var ends = Arbitraries.doubles().between(-1.0, 1.0).ofScale(12);
    return Arbitraries.oneOf(
        Arbitraries.of(true, false).map(Softmax::new),
        scales.map(NormalisedSoftmax::new),
        Combinators.combine(scales, shares).as(CosFace::new),
        Combinators.combine(scales, shares, Arbitraries.of(Backward.class)).as(ArcFace::new),
        Combinators.combine(scales, ends).as(DSoftmax::new));
  }

  @Test
  void textsAreCanonicalWithEveryParameter() {
    assertEquals("softmax(bias=false)", Loss.parse("softmax").toString());
    assertEquals("softmax(bias=true)", Loss.parse("softmax(true)").toString());
    assertEquals("normsoftmax(scale=16)", Loss.parse("normsoftmax").toString());
    assertEquals("cosface(scale=64, margin=0.4)", Loss.parse("cosface(64)").toString());
    assertEquals(
        "arcface(scale=64, margin=0.5, backward=exact)", Loss.parse("arcface()").toString());
    assertEquals(
        "arcface(scale=30.5, margin=0.3, backward=straight-through)",
        Loss.parse("arcface(backward=straight-through, margin=.3, scale=30.5)").toString());
    assertEquals("dsoftmax(scale=64, d=0.9)", Loss.parse("dsoftmax").toString());
  }

  @Test
  void factoriesMakeWhatTheTextsSay() {
    assertEquals(Loss.parse("arcface(64, 0.5)"), Loss.arcFace(64, 0.5));
    assertEquals(Loss.parse("cosface(64, 0.4)"), Loss.cosFace(64, 0.4));
    assertEquals(Loss.parse("normsoftmax(16)"), Loss.normalisedSoftmax(16));
    assertEquals(Loss.parse("softmax"), Loss.softmax());
  }

  @Test
  void unknownLossesAreAnsweredWithTheForms() {
    assertMessage(
        "cannot read loss \"sphereface(4)\": unknown name \"sphereface\" at character 1" + FORMS,
        () -> Loss.parse("sphereface(4)"));
    assertMessage(
        "cannot read loss \"ArcFace\": unknown name \"ArcFace\" at character 1"
            + " (did you mean \"arcface\"?)"
            + FORMS,
        () -> Loss.parse("ArcFace"));
  }

  @Test
  void unknownBackwardIsAnsweredWithTheChoices() {
    assertMessage(
        """
        cannot read loss "arcface(backward=approximate)": backward must be exact or \
        straight-through, but was "approximate" at character 18; expected
          arcface(scale=64, margin=0.5, backward=exact)  e.g. arcface(scale=64, margin=0.5)\
        """,
        () -> Loss.parse("arcface(backward=approximate)"));
  }

  @Test
  void parametersOutsideTheirRangeAreNamed() {
    assertMessage(
        "margin (radians) must be in [0.0, 1.5707963267948966], but was 28.0",
        () -> Loss.arcFace(64, 28));
    assertMessage(
        """
        cannot read loss "arcface(margin=28)": margin (radians) must be in \
        [0.0, 1.5707963267948966], but was 28.0; expected
          arcface(scale=64, margin=0.5, backward=exact)  e.g. arcface(scale=64, margin=0.5)\
        """,
        () -> Loss.parse("arcface(margin=28)"));
    assertMessage("margin must be in [0.0, 1.0], but was 1.1", () -> Loss.cosFace(64, 1.1));
    assertMessage("d must be in [-1.0, 1.0], but was 2.0", () -> new DSoftmax(64, 2));
    String noScale = "scale must be a finite number above 0, but was 0.0";
    assertMessage(noScale, () -> Loss.arcFace(0, 0.5));
    assertMessage(noScale, () -> Loss.cosFace(0, 0.5));
    assertMessage(noScale, () -> Loss.normalisedSoftmax(0));
    assertMessage(noScale, () -> new DSoftmax(0, 0.5));
  }

  @Test
  void onlySoftmaxTakesRowsAtTheirOwnLengthAndOnlyDSoftmaxSeparatesTheTarget() {
    assertEquals(false, Loss.parse("softmax").normalised());
    assertEquals(false, Loss.parse("softmax").bias());
    assertEquals(true, Loss.parse("softmax(bias=true)").bias());
    assertEquals(1.0, Loss.parse("softmax").scale());
    for (String text : new String[] {"normsoftmax(8)", "cosface(8)", "arcface(8)", "dsoftmax(8)"}) {
      Loss loss = Loss.parse(text);
      assertEquals(true, loss.normalised(), text);
      assertEquals(false, loss.bias(), text);
      assertEquals(8.0, loss.scale(), text);
      assertEquals(text.startsWith("dsoftmax"), loss.separateTarget(), text);
    }
  }

  @Property
  void targetLogitsFollowTheirFormulas(
      @ForAll @Scale(12) @DoubleRange(min = -1, max = 1) double cosine) {
    assertEquals(cosine, Loss.softmax().targetLogit(cosine));
    assertEquals(16 * cosine, Loss.normalisedSoftmax(16).targetLogit(cosine));
    assertEquals(64 * (cosine - 0.4), Loss.cosFace(64, 0.4).targetLogit(cosine));
    assertEquals(64 * cosine, new DSoftmax(64, 0.9).targetLogit(cosine));
  }

  @Property
  void arcFaceAddsTheMarginToTheAngleUpToPiAndFallsBackBeyond(
      @ForAll @Scale(12) @DoubleRange(min = -1, max = 1) double cosine,
      @ForAll @Scale(9) @DoubleRange(min = 0, max = 1.57) double margin) {
    double theta = Math.acos(cosine);
    Assume.that(Math.abs(theta + margin - Math.PI) > 1e-6);
    double expected =
        theta + margin < Math.PI
            ? Math.cos(theta + margin)
            : cosine - margin * Math.sin(Math.PI - margin);
    assertEquals(64 * expected, Loss.arcFace(64, margin).targetLogit(cosine), 64 * 1e-12);
  }

  @Property
  void gradientMatchesCentralDifference(
      @ForAll("losses") Loss loss,
      @ForAll @Scale(12) @DoubleRange(min = -0.98, max = 0.98) double cosine) {
    double h = 1e-6;
    if (loss instanceof ArcFace(double _, double margin, Backward backward)) {
      Assume.that(backward == Backward.EXACT);
      Assume.that(Math.abs(cosine + Math.cos(margin)) > 2 * h); // psi jumps at -cos(margin)
    }
    double difference = (loss.targetLogit(cosine + h) - loss.targetLogit(cosine - h)) / (2 * h);
    assertEquals(difference, loss.targetDerivative(cosine), 1e-5 * loss.scale());
  }

  @Property
  void straightThroughHasTheValueOfTheFormulaAndTheSlopeOfNoMargin(
      @ForAll @Scale(12) @DoubleRange(min = -1, max = 1) double cosine,
      @ForAll @Scale(9) @DoubleRange(min = 0, max = 1.57) double margin) {
    var exact = new ArcFace(64, margin, Backward.EXACT);
    var straight = new ArcFace(64, margin, Backward.STRAIGHT_THROUGH);
    assertEquals(exact.targetLogit(cosine), straight.targetLogit(cosine));
    assertEquals(64.0, straight.targetDerivative(cosine));
  }

  @Test
  void exactDerivativeStaysFiniteWhereTheFormulaDoesNot() {
    Loss loss = Loss.arcFace(64, 0.5);
    double largest = loss.targetDerivative(1.0 - 1e-7);
    assertTrue(largest > 64 * 1000 && largest < 64 * 1100, () -> "" + largest);
    assertEquals(largest, loss.targetDerivative(1.0));
    assertEquals(largest, loss.targetDerivative(1.0000002));
    assertEquals(64.0, loss.targetDerivative(-1.0));
    assertEquals(64.0, loss.targetDerivative(-1.0000002));
    assertEquals(64.0, Loss.arcFace(64, 0).targetDerivative(1.0), 1e-12);
    assertEquals(64.0, Loss.arcFace(64, 0).targetDerivative(-1.0), 1e-12);
  }

  @Test
  void cosinesThatRoundingPutOutsideMinusOneToOneCountAsTheEnds() {
    Loss loss = Loss.arcFace(64, 0.5);
    assertEquals(loss.targetLogit(1.0), loss.targetLogit(1.0000002));
    assertEquals(loss.targetLogit(-1.0), loss.targetLogit(-1.0000002));
  }

  private static void assertMessage(String expected, Executable action) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, action).getMessage());
  }
}
