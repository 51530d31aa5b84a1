// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import megaclass.loss.Loss.DSoftmax;
import megaclass.loss.LossDefinition;
import megaclass.loss.LossDefinition.Result;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GoldenLossesTest {
  /** Relative to the largest value of an array, since single entries may cancel to nearly 0. */
  private static final double RELATIVE = 1e-12;

  static List<GoldenLosses.Case> cases() {
    return GoldenLosses.read();
  }

  @Test
  void thereAreTenLossesOverThreeSelectionsEach() {
    assertEquals(30, cases().size());
    assertEquals(10, cases().stream().map(GoldenLosses.Case::loss).distinct().count());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theDefinitionAgreesWithAutograd(GoldenLosses.Case golden) {
    Result expected = golden.expected();
    Result actual =
        LossDefinition.lossAndGradient(
            golden.loss(), golden.batch(), golden.head(), golden.active());
    double relative = RELATIVE + cutOffOfSoftplus(golden);
    assertEquals(expected.meanLoss(), actual.meanLoss(), relative * expected.meanLoss());
    assertClose("losses", expected.losses(), actual.losses(), relative);
    assertClose("logits", expected.logits(), actual.logits(), RELATIVE);
    assertClose("features", expected.featureGradients(), actual.featureGradients(), relative);
    assertClose("weights", expected.weightGradients(), actual.weightGradients(), relative);
    assertArrayEquals(expected.biasGradients(), actual.biasGradients(), RELATIVE);
  }

  /**
   * The share of a D-Softmax target term that PyTorch leaves out: its softplus(t) is t above t =
   * 20, too small by about e^-t, and its derivative 1 there, too large by as much.
   */
  private static double cutOffOfSoftplus(GoldenLosses.Case golden) {
    double largest = 0.0;
    if (golden.loss() instanceof DSoftmax(double scale, double d)) {
      for (int i = 0; i < golden.batch().classIds().length; i++) {
        int target =
            Arrays.stream(golden.active().classIds())
                .boxed()
                .toList()
                .indexOf(golden.batch().classIds()[i]);
        double t = scale * d - golden.expected().logits()[i][target];
        largest = t > 20 ? Math.max(largest, Math.exp(-t)) : largest;
      }
    }
    return largest;
  }

  private static void assertClose(
      String what, double[][] expected, double[][] actual, double relative) {
    assertEquals(expected.length, actual.length, what);
    assertClose(what, flat(expected), flat(actual), relative);
  }

  private static void assertClose(
      String what, double[] expected, double[] actual, double relative) {
    double largest = DoubleStream.of(expected).map(Math::abs).max().orElseThrow();
    assertArrayEquals(expected, actual, relative * largest, what);
  }

  private static double[] flat(double[][] rows) {
    return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
  }
}
