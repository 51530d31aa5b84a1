// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Locale;
import java.util.function.DoubleSupplier;
import megaclass.internal.Check;

/**
 * Holds a gradient against central differences of the function: {@code (f(x + h) - f(x - h)) / 2h},
 * one entry at a time, in double precision.
 *
 * <p>An entry agrees when it is off by at most {@code tolerance} times the larger of 1 and the
 * largest difference quotient of the operand. The function must be smooth within {@code step} of
 * where it is checked. Immutable; a check changes its operand while it runs.
 *
 * @param step h, above 0
 * @param tolerance above 0
 */
public record GradientChecker(double step, double tolerance) {
  private static final int MOST_ENTRIES_SHOWN = 5;

  public GradientChecker {
    Check.positive("step", step);
    Check.positive("tolerance", tolerance);
  }

  private record Entry(int row, int column, double gradient, double quotient) {
    double off() {
      double off = Math.abs(gradient - quotient);
      return Double.isNaN(off) ? Double.POSITIVE_INFINITY : off;
    }
  }

  /**
   * A step of 1e-6 and a tolerance of 1e-6, which suits functions with values of about 1 to 100.
   */
  public static GradientChecker standard() {
    return new GradientChecker(1e-6, 1e-6);
  }

  /**
   * Checks the gradient by one operand, a matrix.
   *
   * @param what names the gradient in the failure, such as {@code "weights"}
   * @param function reads {@code operand} anew at each call
   * @param operand (rows, columns), changed entry by entry and put back
   * @param gradient (rows, columns)
   * @throws AssertionError when entries disagree; names the worst of them
   */
  public void check(String what, DoubleSupplier function, double[][] operand, double[][] gradient) {
    var entries = new ArrayList<Entry>();
    for (int row = 0; row < operand.length; row++) {
      for (int column = 0; column < operand[row].length; column++) {
        double quotient = quotient(function, operand[row], column);
        entries.add(new Entry(row, column, gradient[row][column], quotient));
      }
    }
    double largest = entries.stream().mapToDouble(e -> Math.abs(e.quotient())).max().orElse(0.0);
    double allowed = tolerance * Math.max(1.0, largest);
    var wrong =
        entries.stream()
            .filter(entry -> entry.off() > allowed)
            .sorted(Comparator.comparingDouble(Entry::off).reversed())
            .toList();
    if (!wrong.isEmpty()) {
      var text = new StringBuilder();
      text.append(
          String.format(
              Locale.ROOT,
              "gradient by %s: %d of %d entries are off by more than %.1e; the worst:",
              what,
              wrong.size(),
              entries.size(),
              allowed));
      for (Entry entry : wrong.subList(0, Math.min(MOST_ENTRIES_SHOWN, wrong.size()))) {
        text.append(
            String.format(
                Locale.ROOT,
                "\n  (%d, %d): gradient %.9g, central difference %.9g, off by %.1e",
                entry.row(),
                entry.column(),
                entry.gradient(),
                entry.quotient(),
                entry.off()));
      }
      throw new AssertionError(text.toString());
    }
  }

  private double quotient(DoubleSupplier function, double[] row, int column) {
    double value = row[column];
    row[column] = value + step;
    double above = function.getAsDouble();
    row[column] = value - step;
    double below = function.getAsDouble();
    row[column] = value;
    return (above - below) / (2 * step);
  }
}
