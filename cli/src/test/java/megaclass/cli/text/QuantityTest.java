// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.Locale;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuantityTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "9999, 9999",
    "10000, 10 000",
    "5179510, 5 179 510",
    "-12345, -12 345",
    "9223372036854775807, 9 223 372 036 854 775 807"
  })
  void countsAreGroupedByThreeDigitsFromFiveDigitsOn(long number, String text) {
    assertEquals(text, Quantity.count(number));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "1023, 1023 B",
    "1024, 1 KiB",
    "191365120, 182.5 MiB",
    "17179869184, 16 GiB",
    "9223372036854775807, 8192 PiB"
  })
  void bytesAreToldInTheGreatestUnitThatLeavesAtLeastOne(long number, String text) {
    assertEquals(text, Quantity.bytes(number));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0.0 s",
    "9.94, 9.9 s",
    "9.96, 10 s",
    "59.4, 59 s",
    "59.6, 1 m 0 s",
    "312, 5 m 12 s",
    "3599.7, 1 h 0 m",
    "9240, 2 h 34 m",
    "360000000, 100 000 h 0 m"
  })
  void durationsAreToldInTheirTwoGreatestUnits(double seconds, String text) {
    assertEquals(text, Quantity.duration(seconds));
  }

  @ParameterizedTest
  @CsvSource({
    "16g, 17179869184",
    "16G, 17179869184",
    "1.5 GiB, 1610612736",
    "512m, 536870912",
    "512 MB, 536870912",
    "4096, 4096",
    "4096 B, 4096",
    "2k, 2048",
    "1t, 1099511627776"
  })
  void bytesAreReadWithOrWithoutAUnit(String text, long bytes) {
    assertEquals(bytes, Quantity.parseBytes(text));
  }

  @Property
  void bytesWrittenShortlyAreReadAsTheSame(@ForAll @LongRange(min = 0, max = 1L << 50) long bytes) {
    assertEquals(bytes, Quantity.parseBytes(Quantity.bytesText(bytes)));
  }

  @Property
  void wholeMebibytesAreReadAsTheSame(@ForAll @LongRange(min = 1, max = 1 << 30) long mebibytes) {
    long bytes = mebibytes << 20;
    assertEquals(bytes, Quantity.parseBytes(Quantity.bytesText(bytes)));
  }

  @Property
  void timeSpansWrittenShortlyAreReadAsTheSame(
      @ForAll @LongRange(min = 0, max = 10_000_000) long seconds) {
    var duration = Duration.ofSeconds(seconds);
    assertEquals(duration, Quantity.parseDuration(Quantity.durationText(duration)));
  }

  @Test
  void whatIsNoQuantityIsAnsweredWithExamples() {
    var bytes = assertThrows(IllegalArgumentException.class, () -> Quantity.parseBytes("16 x"));
    assertEquals(
        "cannot read the bytes \"16 x\"; give a number and a unit, such as 16g or 512m",
        bytes.getMessage());
    var time = assertThrows(IllegalArgumentException.class, () -> Quantity.parseDuration("soon"));
    assertEquals(
        "cannot read the time span \"soon\"; give a number and a unit, such as 90s or 10m",
        time.getMessage());
  }

  @Test
  void numbersHaveAPointWhereverTheProgramRuns() {
    var before = Locale.getDefault();
    Locale.setDefault(Locale.GERMANY);
    try {
      assertEquals("87.10 %", Quantity.percent(0.871, 2));
      assertEquals("182.5 MiB", Quantity.bytes(191365120));
    } finally {
      Locale.setDefault(before);
    }
  }
}
