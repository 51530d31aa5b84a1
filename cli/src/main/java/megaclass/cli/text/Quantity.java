// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.text;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Puts quantities into words and reads them back: {@code 5 179 510}, {@code 1.5 GiB}, {@code 10m}.
 */
public final class Quantity {
  private static final List<String> BYTE_UNITS = List.of("B", "KiB", "MiB", "GiB", "TiB", "PiB");
  private static final Pattern BYTES =
      Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([kmgt]?)(?:i?b)?", Pattern.CASE_INSENSITIVE);
  private static final Pattern DURATION = Pattern.compile("(\\d+)\\s*([smh])");

  private Quantity() {}

  /** A whole number, in groups of three digits from 10 000 on: {@code 1000}, {@code 5 179 510}. */
  public static String count(long number) {
    String digits = Long.toString(number);
    return Math.abs(number) < 10_000 ? digits : digits.replaceAll("\\B(?=(\\d{3})+$)", " ");
  }

  /** Bytes in the greatest unit that leaves at least 1: {@code 512 B}, {@code 182.5 MiB}. */
  public static String bytes(long number) {
    double inUnit = number;
    int unit = 0;
    while (inUnit >= 1024 && unit < BYTE_UNITS.size() - 1) {
      inUnit /= 1024;
      unit++;
    }
    return decimal(inUnit, 1).replaceFirst("\\.0$", "") + " " + BYTE_UNITS.get(unit);
  }

  /** A time span by its two greatest units: {@code 2 h 34 m}, {@code 5 m 12 s}, {@code 0.4 s}. */
  public static String duration(double seconds) {
    if (seconds < 9.95) {
      return decimal(seconds, 1) + " s";
    }
    long whole = Math.round(seconds);
    if (whole < 60) {
      return whole + " s";
    }
    return whole < 3600
        ? whole / 60 + " m " + whole % 60 + " s"
        : count(whole / 3600) + " h " + whole % 3600 / 60 + " m";
  }

  /** A share in percent with so many decimals: {@code 87.10 %}. */
  public static String percent(double share, int decimals) {
    return decimal(100 * share, decimals) + " %";
  }

  /** A number with so many decimals and a point, wherever the program runs. */
  public static String decimal(double number, int decimals) {
    return String.format(Locale.ROOT, "%." + decimals + "f", number);
  }

  /**
   * Reads bytes: {@code 16g}, {@code 1.5 GiB}, {@code 512m}, {@code 4096}. Units are powers of
   * 1024.
   */
  public static long parseBytes(String text) {
    var match = BYTES.matcher(text.strip());
    if (!match.matches()) {
      throw new IllegalArgumentException(
          "cannot read the bytes \"" + text + "\"; give a number and a unit, such as 16g or 512m");
    }
    int power = "kmgt".indexOf(match.group(2).toLowerCase(Locale.ROOT));
    double unit = match.group(2).isEmpty() ? 1 : Math.pow(1024, power + 1);
    return Math.round(Double.parseDouble(match.group(1)) * unit);
  }

  /** Reads a time span: {@code 90s}, {@code 10m}, {@code 2h}. */
  public static Duration parseDuration(String text) {
    var match = DURATION.matcher(text.strip());
    if (!match.matches()) {
      throw new IllegalArgumentException(
          "cannot read the time span \""
              + text
              + "\"; give a number and a unit, such as 90s or 10m");
    }
    long number = Long.parseLong(match.group(1));
    return switch (match.group(2)) {
      case "s" -> Duration.ofSeconds(number);
      case "m" -> Duration.ofMinutes(number);
      default -> Duration.ofHours(number);
    };
  }

  /** The shortest text that {@link #parseBytes} reads as so many bytes: {@code 16g}. */
  public static String bytesText(long bytes) {
    long number = bytes;
    int power = 0;
    while (number != 0 && number % 1024 == 0 && power < 4) {
      number /= 1024;
      power++;
    }
    return number + List.of("", "k", "m", "g", "t").get(power);
  }

  /** The shortest text that {@link #parseDuration} reads as so many seconds: {@code 10m}. */
  public static String durationText(Duration duration) {
    long seconds = duration.toSeconds();
    if (seconds % 60 != 0 || seconds == 0) {
      return seconds + "s";
    }
    return seconds % 3600 == 0 ? seconds / 3600 + "h" : seconds / 60 + "m";
  }
}
