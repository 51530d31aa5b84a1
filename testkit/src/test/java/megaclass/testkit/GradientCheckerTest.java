// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class GradientCheckerTest {
  private final double[][] at = {{1, 2}, {3, -1}};

  private double sumOfSquares() {
    return at[0][0] * at[0][0] + at[0][1] * at[0][1] + at[1][0] * at[1][0] + at[1][1] * at[1][1];
  }

  @Test
  void theRightGradientPassesAndTheOperandIsAsBefore() {
    GradientChecker.standard()
        .check("point", this::sumOfSquares, at, new double[][] {{2, 4}, {6, -2}});
    assertArrayEquals(new double[] {1, 2}, at[0]);
    assertArrayEquals(new double[] {3, -1}, at[1]);
  }

  @Test
  void wrongEntriesAreShownWorstFirst() {
    var e =
        assertThrows(
            AssertionError.class,
            () ->
                GradientChecker.standard()
                    .check("point", this::sumOfSquares, at, new double[][] {{2, 4.5}, {6, 2}}));
    assertEquals(
        """
        gradient by point: 2 of 4 entries are off by more than 6.0e-06; the worst:
          (1, 1): gradient 2.00000000, central difference -2.00000000, off by 4.0e+00
          (0, 1): gradient 4.50000000, central difference 4.00000000, off by 5.0e-01\
        """,
        e.getMessage());
  }

  @Test
  void theToleranceIsRelativeToTheLargestEntry() {
    var checker = new GradientChecker(1e-6, 1e-3);
    checker.check("point", this::sumOfSquares, at, new double[][] {{2, 4.005}, {6, -2}});
    double[][] tooFar = {{2, 4.007}, {6, -2}};
    assertThrows(
        AssertionError.class, () -> checker.check("point", this::sumOfSquares, at, tooFar));
  }

  @Test
  void stepAndToleranceAreAboveZero() {
    var step = assertThrows(IllegalArgumentException.class, () -> new GradientChecker(0, 1e-6));
    assertEquals("step must be a finite number above 0, but was 0.0", step.getMessage());
    var tolerance =
        assertThrows(IllegalArgumentException.class, () -> new GradientChecker(1e-6, -1));
    assertEquals("tolerance must be a finite number above 0, but was -1.0", tolerance.getMessage());
  }

  @Test
  void notANumberIsNeverRight() {
    assertThrows(
        AssertionError.class,
        () ->
            GradientChecker.standard()
                .check("point", this::sumOfSquares, at, new double[][] {{2, 4}, {Double.NaN, -2}}));
  }
}
