// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.Locale;

/** Numbers as tables show them, the same wherever the program runs. */
final class Text {
  private static final double MIB = 1 << 20;

  private Text() {}

  /** A whole number in groups of three digits: {@code 100 000}. */
  static String count(long number) {
    return Long.toString(number).replaceAll("\\B(?=(\\d{3})+$)", " ");
  }

  /** A rate with three significant digits or more: {@code 0.123}, {@code 12.3}, {@code 12 345}. */
  static String rate(double number) {
    double size = Math.abs(number);
    return size >= 100
        ? count(Math.round(number))
        : decimal(number, size >= 10 ? 1 : size >= 1 ? 2 : 3);
  }

  /** So many digits behind the point. */
  static String decimal(double number, int digits) {
    return String.format(Locale.ROOT, "%." + digits + "f", number);
  }

  /** Bytes as {@code 512 MiB}, or {@code -} when unknown. */
  static String mebibytes(long bytes) {
    return bytes == 0 ? "-" : count(Math.round(bytes / MIB)) + " MiB";
  }

  /** A share as {@code 12 %}. */
  static String percent(double share) {
    return Math.round(100 * share) + " %";
  }

  /** Median and range: {@code 12.3 (12.1 - 12.5)}. */
  static String spread(Spread spread) {
    return "%s (%s - %s)".formatted(rate(spread.median()), rate(spread.min()), rate(spread.max()));
  }
}
