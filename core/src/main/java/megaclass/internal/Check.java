// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import java.util.Arrays;

/**
 * Checks of arguments, which say what was checked, what is allowed and what was given.
 *
 * <p>Each method returns the value when it is allowed and throws {@link IllegalArgumentException}
 * otherwise. A {@code name} may carry its unit, as in {@code "margin (radians)"}. NaN is never
 * allowed. All methods are pure and may be called from any thread.
 */
public final class Check {
  private Check() {}

  /** Requires {@code low <= value <= high}. */
  public static int inRange(String name, int value, int low, int high) {
    return (int) inRange(name, (long) value, low, high);
  }

  /** Requires {@code low <= value <= high}. */
  public static long inRange(String name, long value, long low, long high) {
    if (value < low || value > high) {
      throw outside(name, "[" + low + ", " + high + "]", value);
    }
    return value;
  }

  /** Requires {@code low <= value <= high}. */
  public static float inRange(String name, float value, float low, float high) {
    if (!(value >= low && value <= high)) {
      throw outside(name, "[" + low + ", " + high + "]", value);
    }
    return value;
  }

  /** Requires {@code low <= value <= high}. */
  public static double inRange(String name, double value, double low, double high) {
    if (!(value >= low && value <= high)) {
      throw outside(name, "[" + low + ", " + high + "]", value);
    }
    return value;
  }

  /** Requires {@code low < value <= high}: a rate that may be everything, but not nothing. */
  public static double inLeftOpenRange(String name, double value, double low, double high) {
    if (!(value > low && value <= high)) {
      throw outside(name, "(" + low + ", " + high + "]", value);
    }
    return value;
  }

  /** Requires {@code low <= value < high}: a share that may be nothing, but not everything. */
  public static double inRightOpenRange(String name, double value, double low, double high) {
    if (!(value >= low && value < high)) {
      throw outside(name, "[" + low + ", " + high + ")", value);
    }
    return value;
  }

  /** Requires one of a few values. */
  public static int oneOf(String name, int value, int... allowed) {
    for (int one : allowed) {
      if (value == one) {
        return value;
      }
    }
    throw new IllegalArgumentException(
        "%s must be one of %s, but was %d".formatted(name, Arrays.toString(allowed), value));
  }

  /** Requires {@code value >= low}. */
  public static int atLeast(String name, int value, int low) {
    return (int) atLeast(name, (long) value, low);
  }

  /** Requires {@code value >= low}. */
  public static long atLeast(String name, long value, long low) {
    if (value < low) {
      throw new IllegalArgumentException(name + " must be at least " + low + ", but was " + value);
    }
    return value;
  }

  /** Requires {@code value >= 1}. */
  public static int positive(String name, int value) {
    return atLeast(name, value, 1);
  }

  /** Requires {@code value >= 1}. */
  public static long positive(String name, long value) {
    return atLeast(name, value, 1L);
  }

  /** Requires a finite value above 0. */
  public static float positive(String name, float value) {
    if (!(value > 0f && value < Float.POSITIVE_INFINITY)) {
      throw notPositive(name, value);
    }
    return value;
  }

  /** Requires a finite value above 0. */
  public static double positive(String name, double value) {
    if (!(value > 0.0 && value < Double.POSITIVE_INFINITY)) {
      throw notPositive(name, value);
    }
    return value;
  }

  private static IllegalArgumentException outside(String name, String range, Object value) {
    return new IllegalArgumentException(name + " must be in " + range + ", but was " + value);
  }

  private static IllegalArgumentException notPositive(String name, Object value) {
    return new IllegalArgumentException(
        name + " must be a finite number above 0, but was " + value);
  }
}
