// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.time.Duration;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a time span from the command line: {@code 500ms}, {@code 10s}, {@code 2m}. */
final class TimeSpan implements ITypeConverter<Duration> {
  private static final Pattern FORM = Pattern.compile("(\\d+)(ms|s|m)");

  @Override
  public Duration convert(String text) {
    var match = FORM.matcher(text.strip());
    if (!match.matches()) {
      throw new TypeConversionException(
          "cannot read the time span \"%s\"; give a number and a unit, such as 500ms, 10s or 2m"
              .formatted(text));
    }
    long number = Long.parseLong(match.group(1));
    return switch (match.group(2)) {
      case "ms" -> Duration.ofMillis(number);
      case "s" -> Duration.ofSeconds(number);
      default -> Duration.ofMinutes(number);
    };
  }

  /** The text that reads back as so much time. */
  static String text(Duration duration) {
    return duration.toMillis() + "ms";
  }

  /** In seconds. */
  static double seconds(Duration duration) {
    return duration.toMillis() * 1e-3;
  }
}
