// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

class TextTest {
  @Test
  void medianAndRangeOfOddAndEvenCounts() {
    assertEquals(new Spread(2, 1, 9), Spread.of(9, 1, 2));
    assertEquals(new Spread(2.5, 1, 9), Spread.of(3, 9, 1, 2));
    assertEquals(new Spread(4, 4, 4), Spread.of(4));
  }

  @Test
  void ratesHaveThreeDigitsOrMore() {
    assertEquals("0.123", Text.rate(0.12345));
    assertEquals("1.23", Text.rate(1.2345));
    assertEquals("12.3", Text.rate(12.345));
    assertEquals("123", Text.rate(123.45));
    assertEquals("1 234 568", Text.rate(1234567.8));
    assertEquals("12.3 (1.00 - 200)", Text.spread(new Spread(12.345, 1, 200)));
  }

  @Test
  void bytesAreToldInMebibytes() {
    assertEquals("1 024 MiB", Text.mebibytes(1L << 30));
    assertEquals("-", Text.mebibytes(0));
  }

  @Test
  void timeSpansReadBack() {
    var reader = new TimeSpan();
    for (var span : List.of(Duration.ofMillis(5), Duration.ofSeconds(10), Duration.ofMinutes(2))) {
      assertEquals(span, reader.convert(TimeSpan.text(span)));
    }
    assertEquals(Duration.ofMinutes(2), reader.convert("2m"));
    assertEquals(0.5, TimeSpan.seconds(reader.convert("500ms")));
    var e = assertThrows(TypeConversionException.class, () -> reader.convert("10"));
    assertEquals(
        "cannot read the time span \"10\"; give a number and a unit, such as 500ms, 10s or 2m",
        e.getMessage());
  }

  @Test
  void resultsDoNotTellWhereThingsLie() {
    assertEquals("--results=...", Program.withoutPaths("--results=/home/me/out"));
    assertEquals("...", Program.withoutPaths("/home/me/out"));
    assertEquals("-agentpath:...=start", Program.withoutPaths("-agentpath:/opt/agent.so=start"));
    assertEquals("bench/results", Program.withoutPaths("bench/results"));
    assertEquals("-XX:+UseParallelGC", Program.withoutPaths("-XX:+UseParallelGC"));
  }

  @Test
  void theChainsOfThePeakGoTowardsTwo() {
    float[] values = new float[64];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    FmaPeak.run(100, values);
    assertEquals(20f, values[0], 1e-5f, "the sum of ten chains");
    assertEquals(0, FmaPeak.operations(1) % 20, "ten chains of a product and a sum each");
  }
}
