// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.loss.LossDefinition.Active;
import megaclass.loss.LossDefinition.Batch;
import megaclass.loss.LossDefinition.Head;
import megaclass.loss.LossDefinition.Result;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LossDefinitionTest {
  private static final int DIM = 4;
  private static final int NUM_CLASSES = 7;

  private final Random random = new Random(11);
  private final Batch batch = new Batch(rows(3), new int[] {2, 5, 2});
  private final double[][] weights = rows(NUM_CLASSES);
  private final Active all = active(0, 1, 2, 3, 4, 5, 6);

  static Stream<Loss> losses() {
    return Stream.of(
            "softmax",
            "softmax(bias=true)",
            "normsoftmax(scale=16)",
            "cosface(scale=64, margin=0.4)",
            "arcface(scale=64, margin=0.5)",
            "arcface(scale=16, margin=0.5, backward=straight-through)",
            "dsoftmax(scale=16, d=0.5)")
        .map(Loss::parse);
  }

  @ParameterizedTest
  @MethodSource("losses")
  void orderOfTheActiveClassesDoesNotMatter(Loss loss) {
    Result forward = LossDefinition.lossAndGradient(loss, batch, head(loss), all);
    Result backward =
        LossDefinition.lossAndGradient(loss, batch, head(loss), active(6, 5, 4, 3, 2, 1, 0));
    assertArrayEquals(forward.losses(), backward.losses(), 1e-12);
    assertRowsEqual(forward.featureGradients(), backward.featureGradients());
    assertRowsEqual(forward.weightGradients(), backward.weightGradients());
  }

  @ParameterizedTest
  @MethodSource("losses")
  void aClassWithLogWeightLogKCountsAsKClasses(Loss loss) {
    double[][] repeated = weights.clone();
    repeated[3] = weights[1];
    repeated[6] = weights[1];
    Head head = new Head(repeated, loss.bias() ? new double[NUM_CLASSES] : new double[0]);
    Result three = LossDefinition.lossAndGradient(loss, batch, head, active(1, 2, 3, 5, 6));
    var weighted = new Active(new int[] {1, 2, 5}, new double[] {Math.log(3), 0, 0});
    Result one = LossDefinition.lossAndGradient(loss, batch, head, weighted);
    assertArrayEquals(three.losses(), one.losses(), 1e-12);
    assertRowsEqual(three.featureGradients(), one.featureGradients());
  }

  /**
   * S = {2, 4, 5}; the tail is each of the pairs of the 4 classes left out, drawn equally often.
   */
  @Test
  void theMeanOverAllTailsIsTheSumOverAllClassesButNotTheMeanOfItsLogarithm() {
    Loss loss = Loss.normalisedSoftmax(4);
    double[] exact = logSums(LossDefinition.lossAndGradient(loss, batch, head(loss), all));
    int[] leftOut = {0, 1, 3, 6};
    double[] meanSum = new double[3];
    double[] meanLogSum = new double[3];
    for (int a = 0; a < 4; a++) {
      for (int b = 0; b < a; b++) {
        var active =
            new Active(
                new int[] {2, 4, 5, leftOut[a], leftOut[b]},
                new double[] {0, 0, 0, Math.log(4 / 2.0), Math.log(4 / 2.0)});
        double[] logSums = logSums(LossDefinition.lossAndGradient(loss, batch, head(loss), active));
        for (int i = 0; i < 3; i++) {
          meanSum[i] += Math.exp(logSums[i]) / 6;
          meanLogSum[i] += logSums[i] / 6;
        }
      }
    }
    for (int i = 0; i < 3; i++) {
      assertEquals(Math.exp(exact[i]), meanSum[i], 1e-12 * meanSum[i]);
      assertTrue(meanLogSum[i] < exact[i] - 1e-3, "the logarithm is too small on average");
    }
  }

  /** The logarithms of the sums that the losses divide by. */
  private double[] logSums(Result result) {
    double[] logSums = result.losses().clone();
    for (int i = 0; i < logSums.length; i++) {
      int position = batch.classIds()[i] == 2 ? 0 : 2; // in {2, 4, 5, ...}
      logSums[i] +=
          result.logits()[i][result.logits()[i].length == 7 ? batch.classIds()[i] : position];
    }
    return logSums;
  }

  @ParameterizedTest
  @MethodSource("losses")
  void classesThatAreNotActiveHaveNoGradient(Loss loss) {
    Result result = LossDefinition.lossAndGradient(loss, batch, head(loss), active(2, 4, 5));
    for (int classId : new int[] {0, 1, 3, 6}) {
      assertArrayEquals(new double[DIM], result.weightGradients()[classId]);
    }
    assertEquals(loss.bias() ? NUM_CLASSES : 0, result.biasGradients().length);
  }

  @ParameterizedTest
  @MethodSource("losses")
  void meanLossIsTheMeanAndGradientsAreThoseOfTheMean(Loss loss) {
    Result result = LossDefinition.lossAndGradient(loss, batch, head(loss), all);
    assertEquals(Arrays.stream(result.losses()).average().orElseThrow(), result.meanLoss(), 1e-14);
    double[][] sum = new double[NUM_CLASSES][DIM];
    for (int i = 0; i < 3; i++) {
      var single = new Batch(new double[][] {batch.features()[i]}, new int[] {batch.classIds()[i]});
      Result alone = LossDefinition.lossAndGradient(loss, single, head(loss), all);
      assertEquals(result.losses()[i], alone.meanLoss(), 1e-14);
      for (int c = 0; c < NUM_CLASSES; c++) {
        for (int k = 0; k < DIM; k++) {
          sum[c][k] += alone.weightGradients()[c][k] / 3;
        }
      }
    }
    assertRowsEqual(sum, result.weightGradients());
  }

  @ParameterizedTest
  @MethodSource("losses")
  void lengthDoesNotMatterToALossOfCosines(Loss loss) {
    double[][] longer =
        Arrays.stream(batch.features())
            .map(row -> Arrays.stream(row).map(value -> 3 * value).toArray())
            .toArray(double[][]::new);
    double once = LossDefinition.lossAndGradient(loss, batch, head(loss), all).meanLoss();
    double thrice =
        LossDefinition.lossAndGradient(loss, new Batch(longer, batch.classIds()), head(loss), all)
            .meanLoss();
    assertEquals(loss.normalised(), Math.abs(once - thrice) < 1e-12);
  }

  @Test
  void biasGradientsOfSoftmaxSumToZero() {
    Loss loss = Loss.parse("softmax(bias=true)");
    Result result = LossDefinition.lossAndGradient(loss, batch, head(loss), all);
    assertEquals(0.0, Arrays.stream(result.biasGradients()).sum(), 1e-15);
  }

  @Test
  void hugeLogitsOverflowNothing() {
    double[][] huge = {{1000, 0}, {-1000, 0}};
    var far = new Batch(new double[][] {{-1, 0}}, new int[] {0});
    Result result =
        LossDefinition.lossAndGradient(
            Loss.softmax(), far, new Head(huge, new double[0]), active(0, 1));
    assertEquals(2000.0, result.meanLoss());
    assertArrayEquals(new double[] {-2000.0, 0.0}, result.featureGradients()[0]);
  }

  @Test
  void faultsAreNamed() {
    assertMessage(
        "class 2 is a target but is not active", Loss.softmax(), batch, weights, 0, active(0, 5));
    assertMessage(
        "softmax(bias=true) needs a bias for each class",
        Loss.parse("softmax(bias=true)"),
        batch,
        weights,
        0,
        all);
    assertMessage(
        "cosface(scale=64, margin=0.4) takes no bias",
        Loss.cosFace(64, 0.4),
        batch,
        weights,
        NUM_CLASSES,
        all);
    assertMessage(
        "number of examples must be at least 1, but was 0",
        Loss.softmax(),
        new Batch(new double[0][], new int[0]),
        weights,
        0,
        all);
  }

  @Test
  void rowsOfLengthZeroHaveNoCosineAndAreNamed() {
    double[][] features = rows(3);
    features[1] = new double[DIM];
    var withZero = new Batch(features, new int[] {2, 5, 2});
    assertMessage(
        "example 1 has length 0, so it has no cosine; leave it out or use the loss softmax",
        Loss.cosFace(64, 0.4),
        withZero,
        weights,
        0,
        all);
    double[][] zeroWeight = rows(NUM_CLASSES);
    zeroWeight[4] = new double[DIM];
    assertMessage(
        "weight of class 4 has length 0, so it has no cosine; leave it out or use the loss softmax",
        Loss.cosFace(64, 0.4),
        batch,
        zeroWeight,
        0,
        all);
  }

  private static void assertMessage(
      String expected, Loss loss, Batch batch, double[][] weights, int numBiases, Active active) {
    Executable action =
        () ->
            LossDefinition.lossAndGradient(
                loss, batch, new Head(weights, new double[numBiases]), active);
    assertEquals(expected, assertThrows(IllegalArgumentException.class, action).getMessage());
  }

  private static void assertRowsEqual(double[][] expected, double[][] actual) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(expected[i], actual[i], 1e-11);
    }
  }

  private Head head(Loss loss) {
    double[] bias = loss.bias() ? new double[] {.1, -.2, .3, 0, .5, -.1, .2} : new double[0];
    return new Head(weights, bias);
  }

  private static Active active(int... classIds) {
    return new Active(classIds, new double[classIds.length]);
  }

  private double[][] rows(int numRows) {
    return IntStream.range(0, numRows)
        .mapToObj(_ -> random.doubles(DIM, -1, 1).toArray())
        .toArray(double[][]::new);
  }
}
